package service_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// coder tries the codes of devices at STS, as their user.
type coder struct {
	w    *world
	user clients
	now  time.Time // the server's time when the test began to try
}

// coderOf creates a user who may call everything, with a device that was
// enabled by the codes of the previous and the present step.
func coderOf(t *testing.T, w *world, name string) (coder, phone) {
	t.Helper()
	w.user(t, name)
	w.putUserPolicy(t, name, ptr(allowAll))
	c := coder{w: w, user: w.asUser(t, name)}
	p := w.device(t, name)
	c.nextTries()
	must(t, w.root.EnableMFADevice, p.enable(t, name, c.now.Add(-step)))
	return c, p
}

// nextTries waits for the next three minutes, in which tries count from zero.
func (c *coder) nextTries() {
	now := c.w.clock.Now()
	c.w.clock.advance(now.Truncate(3 * time.Minute).Add(3*time.Minute + time.Second).Sub(now))
	c.now = c.w.clock.Now()
}

// try sends the code of a step, counted from now, and returns the refusal.
func (c *coder) try(t *testing.T, p phone, steps int) string {
	t.Helper()
	in := &sts.GetSessionTokenInput{SerialNumber: &p.serial, TokenCode: p.code(t, c.now.Add(time.Duration(steps)*step))}
	_, err := c.user.sts.GetSessionToken(t.Context(), in)
	if f := failureOf(err); err != nil && (f.status != 403 || f.code != "AccessDenied") {
		t.Errorf("%+v", f)
	}
	return failureOf(err).message
}

func (c *coder) tries(t *testing.T, p phone, want string, steps ...int) {
	t.Helper()
	for _, s := range steps {
		if got := c.try(t, p, s); got != want {
			t.Errorf("step %+d: %q, want %q", s, got, want)
		}
	}
}

// Codes of two steps around the device's clock are accepted, each once, in any
// order (recorded).
func TestOneTimeCodeWindow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c, p := coderOf(t, w, "Ann")
		c.nextTries()
		c.tries(t, p, badMFACode, 3, -3)
		c.tries(t, p, "", 2, -2, 0, 1, -1)
		c.nextTries()
		c.tries(t, p, "", 0)
		c.tries(t, p, badMFACode, 0)
		c.tries(t, p, "", -1)
		c.tries(t, p, badMFACode, 0, -1)
		// AssumeRole uses the same codes.
		arn := w.role(t, "worker", trusting("Ann"))
		in := &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night"), SerialNumber: &p.serial,
			TokenCode: p.code(t, c.now)}
		refused(t, c.user.sts.AssumeRole, in, 403, "AccessDenied", badMFACode)
		in.TokenCode = p.code(t, c.now.Add(step))
		must(t, c.user.sts.AssumeRole, in)
		c.tries(t, p, badMFACode, 1)
	})
}

// Enabling and resynchronizing remember their codes separately. Their codes
// work once at STS, and codes that STS accepted can form a pair, as long as
// both are newer than the last pair (recorded).
func TestOneTimeCodesOfPairs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c, p := coderOf(t, w, "Ann") // with the codes of steps -1 and 0
		c.tries(t, p, "", 0, -1)
		c.tries(t, p, badMFACode, 0, -1)
		c.tries(t, p, "", 1)
		at := func(steps int) *iam.ResyncMFADeviceInput {
			return p.resync(t, "Ann", c.now.Add(time.Duration(steps)*step))
		}
		refused(t, w.root.ResyncMFADevice, at(-1), 403, "InvalidAuthenticationCode", badCodes)
		// its first is the second of the previous pair
		refused(t, w.root.ResyncMFADevice, at(0), 403, "InvalidAuthenticationCode", badCodes)
		must(t, w.root.ResyncMFADevice, at(1)) // steps 1 and 2
		c.tries(t, p, badMFACode, 1)
		c.tries(t, p, "", 2)
		must(t, w.root.DeactivateMFADevice, p.deactivate("Ann"))
		again := iam.EnableMFADeviceInput(*at(1))
		refused(t, w.root.EnableMFADevice, &again, 403, "InvalidAuthenticationCode", badCodes)
	})
}

// Pairs are searched around the device's own clock, from 998 steps behind to
// 1000 ahead. The measured drift survives a deactivation, but not the device
// (recorded).
func TestOneTimeCodeDrift(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c, p := coderOf(t, w, "Ann")
		// enabled sends the codes of a step and the previous one.
		enabled := func(second int) error {
			in := p.enable(t, "Ann", c.now.Add(time.Duration(second-1)*step))
			_, err := w.root.EnableMFADevice(t.Context(), in)
			return err
		}
		off := func() { must(t, w.root.DeactivateMFADevice, p.deactivate("Ann")) }
		fails := func(second int) {
			t.Helper()
			if got := failureOf(enabled(second)); got != (failure{403, "InvalidAuthenticationCode", badCodes}) {
				t.Errorf("%+d: %+v", second, got)
			}
		}
		off()
		fails(1001)
		if err := enabled(1000); err != nil {
			t.Fatal(err)
		}
		c.tries(t, p, "", 1002)
		c.tries(t, p, badMFACode, 0, 997, 1003)
		off()
		fails(2001)
		if err := enabled(2000); err != nil {
			t.Fatal(err)
		}
		c.tries(t, p, "", 2000)
		off()

		must(t, w.root.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &p.serial})
		p = w.device(t, "Ann") // moves the clock by a second
		fails(1001)
		if err := enabled(-998); err != nil {
			t.Fatal(err)
		}
		c.tries(t, p, "", -998)
	})
}

// The count of tries survives the device. A new device with the same serial
// begins with the tries of the three minutes (recorded).
func TestOneTimeCodeTriesOutliveTheDevice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c, p := coderOf(t, w, "Ann")
		for range 9 {
			c.tries(t, p, badMFACode, 7)
		}
		c.tries(t, p, badMFASerial, 0)
		must(t, w.root.DeactivateMFADevice, p.deactivate("Ann"))
		must(t, w.root.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &p.serial})
		p = w.device(t, "Ann")
		must(t, w.root.EnableMFADevice, p.enable(t, "Ann", c.now))
		c.tries(t, p, badMFASerial, 0)
		other := w.device(t, "other")
		must(t, w.root.EnableMFADevice, other.enable(t, "Ann", c.now))
		c.tries(t, other, "", 0)
		c.nextTries()
		c.tries(t, p, "", 0)
	})
}

// A code works once, however many callers use it at the same time.
func TestOneTimeCodeAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c, p := coderOf(t, w, "Ann")
		c.nextTries()
		var taken, refused atomic.Int32
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				switch c.try(t, p, 0) {
				case "":
					taken.Add(1)
				case badMFACode:
					refused.Add(1)
				}
			})
		}
		all.Wait()
		if taken.Load() != 1 || refused.Load() != 5 {
			t.Errorf("taken %d times, refused %d times", taken.Load(), refused.Load())
		}
	})
}
