package identity_test

import (
	"bytes"
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"image/png"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/totp"

	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

const mfaARN = "arn:aws:iam::" + account + ":mfa/"

// ignoreSDK ignores the unexported field of the SDK's structures.
var ignoreSDK = cmp.FilterPath(func(p cmp.Path) bool {
	return p.Last().String() == ".noSmithyDocumentSerde"
}, cmp.Ignore())

// phone simulates a virtual device.
type phone struct{ serial, seed string }

// device creates a virtual device. The clock moves, so that lists have the
// devices in the order of their creation.
func (w *world) device(t testing.TB, name string) phone {
	t.Helper()
	w.clock.advance(time.Second)
	out := must(t, w.root, w.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &name})
	return phone{*out.VirtualMFADevice.SerialNumber, string(out.VirtualMFADevice.Base32StringSeed)}
}

// code returns the code on the phone at a time.
func (p phone) code(t testing.TB, at time.Time) *string {
	t.Helper()
	code, err := totp.GenerateCode(p.seed, at)
	if err != nil {
		t.Fatal(err)
	}
	return &code
}

const step = 30 * time.Second

// enable returns a request with the code of a time and the next one.
func (p phone) enable(t testing.TB, user string, at time.Time) *iam.EnableMFADeviceInput {
	t.Helper()
	return &iam.EnableMFADeviceInput{
		UserName: &user, SerialNumber: &p.serial,
		AuthenticationCode1: p.code(t, at), AuthenticationCode2: p.code(t, at.Add(step)),
	}
}

func (p phone) resync(t testing.TB, user string, at time.Time) *iam.ResyncMFADeviceInput {
	t.Helper()
	in := iam.ResyncMFADeviceInput(*p.enable(t, user, at))
	return &in
}

func (p phone) deactivate(user string) *iam.DeactivateMFADeviceInput {
	return &iam.DeactivateMFADeviceInput{UserName: &user, SerialNumber: &p.serial}
}

const badCodes = "Authentication code for device is not valid."

func TestCreateVirtualMFADevice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		tags := []types.Tag{{Key: ptr("owner"), Value: ptr("probe")}}
		out := must(t, w.root, w.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{
			VirtualMFADeviceName: ptr("phone"), Path: ptr("/test//double/"), Tags: tags,
		}).VirtualMFADevice
		want := types.VirtualMFADevice{
			SerialNumber: ptr(mfaARN[:len(mfaARN)-1] + "/test//double/phone"), Tags: tags,
			Base32StringSeed: out.Base32StringSeed, QRCodePNG: out.QRCodePNG,
		}
		if diff := cmp.Diff(want, *out, ignoreSDK); diff != "" {
			t.Error(diff)
		}
		if raw, err := base32.StdEncoding.DecodeString(string(out.Base32StringSeed)); err != nil || len(raw) < 20 {
			t.Errorf("seed of %d bytes, %v; want base32 text of 160 bits or more", len(raw), err)
		}
		if _, err := png.Decode(bytes.NewReader(out.QRCodePNG)); err != nil {
			t.Error(err)
		}
		var row store.MFADevice
		err := w.db.View(t.Context(), func(tx *store.Tx) (err error) {
			row, err = tx.MFADevice(account, *out.SerialNumber)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(row.Seed, out.Base32StringSeed) {
			t.Error("the seed is stored as it is")
		}
	})
}

// The QR code names the user who calls, or the account if root calls.
func TestCreateVirtualMFADeviceQRCode(t *testing.T) {
	w := newWorld(t, store.Config{Memory: true}, identity.Config{})
	w.user(t, "Ann")
	for owner, ctx := range map[string]context.Context{account: w.root, "Ann": w.asUser(t, "Ann")} {
		d := must(t, ctx, w.CreateVirtualMFADevice,
			&iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &owner}).VirtualMFADevice
		want, err := seal.MFAQRCode(seal.MFAURI(owner, owner, seal.NewSecret(string(d.Base32StringSeed))))
		if err != nil || !bytes.Equal(d.QRCodePNG, want) {
			t.Errorf("the code does not show otpauth://totp/%s@%s?secret=…, %v", owner, owner, err)
		}
	}
}

func TestCreateVirtualMFADeviceRefused(t *testing.T) {
	const badPath = "The specified value for path is invalid. It must begin and end with / and contain only " +
		"alphanumeric characters and/or / characters."
	long := func(n int) *string { return ptr(strings.Repeat("x", n)) }
	tooLong := func(member string, n int) string {
		return fmt.Sprintf(
			"1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less "+
				"than or equal to %d", member, n)
	}
	w := newWorld(t, store.Config{Memory: true}, identity.Config{})
	w.device(t, "taken")
	for name, test := range map[string]struct {
		in            iam.CreateVirtualMFADeviceInput
		status        int
		code, message string
	}{
		"exists": {iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: ptr("taken")}, 409,
			"EntityAlreadyExists", "MFA device already exists."},
		"no leading slash": {iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: ptr("a"), Path: ptr("p/")},
			400, "ValidationError", badPath},
		"no trailing slash": {iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: ptr("a"), Path: ptr("/p")},
			400, "ValidationError", badPath},
		"path too long": {iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: ptr("a"),
			Path: ptr("/" + *long(512) + "/")}, 400, "ValidationError", tooLong("path", 512)},
		"name too long for an ARN": {iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: long(227)}, 400,
			"ValidationError", tooLong("virtualMFADeviceName", 226)},
		"path too long for an ARN": {iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: long(200),
			Path: ptr("/" + *long(26) + "/")}, 400, "ValidationError", tooLong("path", 27)},
		"path no serial may have": {iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: ptr("a"),
			Path: ptr("/a!b/")}, 400, "ValidationError", badPath},
		"reserved tag": {
			iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: ptr("a"), Tags: tagList("AWS:x", "")}, 400,
			"InvalidInput", "Tag keys beginning with aws: are reserved for system use."},
		"duplicate tags": {iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: ptr("a"),
			Tags: tagList("x", "", "x", "")}, 400, "InvalidInput", "Duplicate tag keys found."},
		"exists, with another case": {iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: ptr("Taken")}, 0, "", ""},
		"longest":                   {iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: long(226)}, 0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if test.status == 0 {
				must(t, w.root, w.CreateVirtualMFADevice, &test.in)
				return
			}
			refused(t, w.root, w.CreateVirtualMFADevice, &test.in, test.status, test.code, test.message)
		})
	}
}

func TestEnableMFADevice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		p := w.device(t, "phone")
		now := w.clock.Now()
		must(t, w.root, w.EnableMFADevice, p.enable(t, "ann", now))

		list := must(t, w.root, w.ListMFADevices, &iam.ListMFADevicesInput{UserName: ptr("Ann")})
		want := []types.MFADevice{{UserName: ptr("Ann"), SerialNumber: &p.serial, EnableDate: &now}}
		if diff := cmp.Diff(want, list.MFADevices, ignoreSDK); diff != "" || list.IsTruncated {
			t.Error(diff)
		}
		owned := must(t, w.root, w.ListVirtualMFADevices, &iam.ListVirtualMFADevicesInput{})
		u := must(t, w.root, w.GetUser, &iam.GetUserInput{UserName: ptr("Ann")}).User
		if diff := cmp.Diff([]types.VirtualMFADevice{{SerialNumber: &p.serial, EnableDate: &now, User: u}},
			owned.VirtualMFADevices, ignoreSDK); diff != "" {
			t.Error(diff)
		}
		refused(t, w.root, w.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &p.serial},
			409, "DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.")

		// A deactivated device still exists and can be enabled again.
		must(t, w.root, w.DeactivateMFADevice, p.deactivate("Ann"))
		free := must(t, w.root, w.ListVirtualMFADevices,
			&iam.ListVirtualMFADevicesInput{AssignmentStatus: "Unassigned"})
		if diff := cmp.Diff([]types.VirtualMFADevice{{SerialNumber: &p.serial}},
			free.VirtualMFADevices, ignoreSDK); diff != "" {
			t.Error(diff)
		}
		w.clock.advance(2 * step)
		must(t, w.root, w.EnableMFADevice, p.enable(t, "Ann", w.clock.Now()))
		must(t, w.root, w.DeactivateMFADevice, p.deactivate("Ann"))
		must(t, w.root, w.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &p.serial})
		if all := must(t, w.root, w.ListVirtualMFADevices, &iam.ListVirtualMFADevicesInput{}); len(
			all.VirtualMFADevices) > 0 {
			t.Errorf("deleted, but listed: %v", *all.VirtualMFADevices[0].SerialNumber)
		}
	})
}

// A device keeps its user when the user is renamed: its seed still opens.
func TestEnableMFADeviceRenamed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "old")
		p := w.device(t, "phone")
		must(t, w.root, w.EnableMFADevice, p.enable(t, "old", w.clock.Now()))
		must(t, w.root, w.UpdateUser, &iam.UpdateUserInput{UserName: ptr("old"), NewUserName: ptr("New")})
		w.clock.advance(2 * step)
		must(t, w.root, w.ResyncMFADevice, p.resync(t, "new", w.clock.Now()))
		if list := must(t, w.root, w.ListMFADevices,
			&iam.ListMFADevicesInput{UserName: ptr("New")}); len(list.MFADevices) != 1 {
			t.Errorf("%d devices after the rename", len(list.MFADevices))
		}
	})
}

// AWS gave these answers.
func TestMFADeviceRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann")
		w.user(t, "bob")
		mine, free := w.device(t, "mine"), w.device(t, "free")
		none := phone{mfaARN + "nonexistent-mfa", mine.seed}
		now := w.clock.Now()
		must(t, w.root, w.EnableMFADevice, mine.enable(t, "ann", now))
		later := now.Add(2 * step)

		const noUser = "The user with name nonexistent-user cannot be found."
		const notHis = "MFA Device invalid for user."
		missing := "MFA Device with serial number " + none.serial + " does not exist."
		same, reversed := free.enable(t, "ann", now), free.enable(t, "ann", now)
		same.AuthenticationCode2 = same.AuthenticationCode1
		reversed.AuthenticationCode1, reversed.AuthenticationCode2 = reversed.AuthenticationCode2,
			reversed.AuthenticationCode1

		refused(t, w.root, w.EnableMFADevice, none.enable(t, "nonexistent-user", now), 404, "NoSuchEntity", noUser)
		refused(t, w.root, w.EnableMFADevice, none.enable(t, "ann", now), 404, "NoSuchEntity", missing)
		refused(t, w.root, w.EnableMFADevice, same, 403, "InvalidAuthenticationCode", badCodes)
		refused(t, w.root, w.EnableMFADevice, reversed, 403, "InvalidAuthenticationCode", badCodes)
		refused(t, w.root, w.EnableMFADevice, phone{free.serial, mine.seed}.enable(t, "ann", later), 403,
			"InvalidAuthenticationCode", badCodes)
		refused(t, w.root, w.EnableMFADevice, mine.enable(t, "ann", later), 409, "EntityAlreadyExists",
			"MFA Device for user ann already exists.")
		refused(t, w.root, w.EnableMFADevice, mine.enable(t, "bob", later), 409, "EntityAlreadyExists",
			"MFA Device is already in use.")

		refused(t, w.root, w.ResyncMFADevice, mine.resync(t, "nonexistent-user", later), 404, "NoSuchEntity", noUser)
		refused(t, w.root, w.ResyncMFADevice, none.resync(t, "ann", later), 404, "NoSuchEntity", missing)
		refused(t, w.root, w.ResyncMFADevice, free.resync(t, "ann", later), 404, "NoSuchEntity", notHis)
		refused(t, w.root, w.ResyncMFADevice, mine.resync(t, "bob", later), 404, "NoSuchEntity", notHis)

		refused(t, w.root, w.DeactivateMFADevice, none.deactivate("nonexistent-user"), 404, "NoSuchEntity", noUser)
		refused(t, w.root, w.DeactivateMFADevice, none.deactivate("ann"), 404, "NoSuchEntity", missing)
		refused(t, w.root, w.DeactivateMFADevice, free.deactivate("ann"), 404, "NoSuchEntity", notHis)
		refused(t, w.root, w.DeactivateMFADevice, mine.deactivate("bob"), 404, "NoSuchEntity", notHis)
		refused(t, w.root, w.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &none.serial},
			404, "NoSuchEntity", missing)

		refused(t, w.root, w.ListMFADevices, &iam.ListMFADevicesInput{UserName: ptr("nonexistent-user")},
			404, "NoSuchEntity", noUser)
		refused(t, w.root, w.ListVirtualMFADevices, &iam.ListVirtualMFADevicesInput{Marker: ptr("invalid")}, 400,
			"ValidationError", "Invalid Marker.")
		refused(t, w.root, w.GetMFADevice,
			&iam.GetMFADeviceInput{UserName: ptr("nonexistent-user"), SerialNumber: &mine.serial},
			404, "NoSuchEntity", noUser)
		refused(t, w.root, w.GetMFADevice, &iam.GetMFADeviceInput{UserName: ptr("ann"), SerialNumber: &mine.serial},
			400, "ValidationError",
			"The MFA device serial number sent in the request is invalid or not supported by this API. Currently, "+
				"only hardware FIDO security keys are supported. Please use the compatible device or API.")
		fido := "arn:aws:iam::" + account + ":u2f/user/ann/key"
		refused(t, w.root, w.GetMFADevice, &iam.GetMFADeviceInput{UserName: ptr("ann"), SerialNumber: &fido}, 404,
			"NoSuchEntity",
			"MFA Device with serial number "+fido+" does not exist.")
	})
}

// An accepted pair of codes never works again, and neither of its codes does,
// even after the device was assigned to another user.
func TestEnableMFADeviceReplay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann")
		w.user(t, "bob")
		p := w.device(t, "phone")
		now := w.clock.Now()
		must(t, w.root, w.EnableMFADevice, p.enable(t, "ann", now))
		refused(t, w.root, w.ResyncMFADevice, p.resync(t, "ann", now), 403, "InvalidAuthenticationCode", badCodes)
		must(t, w.root, w.DeactivateMFADevice, p.deactivate("ann"))
		for _, ahead := range []time.Duration{-step, 0, step} {
			refused(t, w.root, w.EnableMFADevice, p.enable(t, "bob", now.Add(ahead)), 403,
				"InvalidAuthenticationCode", badCodes)
		}
		// The first pair without a used code.
		must(t, w.root, w.EnableMFADevice, p.enable(t, "bob", now.Add(2*step)))
		refused(t, w.root, w.ResyncMFADevice, p.resync(t, "bob", now.Add(3*step)), 403,
			"InvalidAuthenticationCode", badCodes)
		must(t, w.root, w.ResyncMFADevice, p.resync(t, "bob", now.Add(4*step)))
	})
}

// The drift of a device whose clock is wrong is found and remembered. Each
// resynchronization may move it as far again.
func TestResyncMFADeviceDrift(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann")
		p := w.device(t, "phone")
		now := w.clock.Now()
		must(t, w.root, w.EnableMFADevice, p.enable(t, "ann", now.Add(900*step)))
		must(t, w.root, w.ResyncMFADevice, p.resync(t, "ann", now.Add(1800*step)))
		refused(t, w.root, w.ResyncMFADevice, p.resync(t, "ann", now.Add(2802*step)), 403,
			"InvalidAuthenticationCode", badCodes)
		// The drift survives when the device is deactivated.
		must(t, w.root, w.DeactivateMFADevice, p.deactivate("ann"))
		must(t, w.root, w.EnableMFADevice, p.enable(t, "ann", now.Add(2700*step)))
	})
}

// The same codes, submitted several times at once, are accepted once.
func TestMFACodesInParallel(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const clients = 8
		w.user(t, "ann")
		p := w.device(t, "phone")
		count := func(submit func() error, others ...string) {
			t.Helper()
			var wait sync.WaitGroup
			results := make([]error, clients)
			start := make(chan struct{})
			for i := range clients {
				wait.Go(func() {
					<-start
					results[i] = submit()
				})
			}
			close(start)
			wait.Wait()
			accepted := 0
			for _, err := range results {
				var e *awsmodel.Error
				switch {
				case err == nil:
					accepted++
				case !errors.As(err, &e) || !strings.Contains(strings.Join(others, " "), e.Code):
					t.Error(err)
				}
			}
			if accepted != 1 {
				t.Errorf("%d of %d were accepted", accepted, clients)
			}
		}
		enable := p.enable(t, "ann", w.clock.Now())
		count(func() error { _, err := call(w.root, w.EnableMFADevice, enable); return err }, "EntityAlreadyExists",
			"InvalidAuthenticationCode")
		resync := p.resync(t, "ann", w.clock.Now().Add(2*step))
		count(func() error {
			_, err := call(w.root, w.ResyncMFADevice, resync)
			return err
		}, "InvalidAuthenticationCode")
	})
}

func TestEnableMFADeviceLimit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann")
		for i := range 8 {
			must(t, w.root, w.EnableMFADevice, w.device(t, fmt.Sprint(i)).enable(t, "ann", w.clock.Now()))
		}
		ninth := w.device(t, "9")
		refused(t, w.root, w.EnableMFADevice, ninth.enable(t, "ann", w.clock.Now()), 409, "LimitExceeded",
			"Cannot exceed quota for MFADevicesPerUser: 8")
		var got []string
		in := &iam.ListMFADevicesInput{UserName: ptr("ann"), MaxItems: ptr[int32](3)}
		for {
			out := must(t, w.root, w.ListMFADevices, in)
			for _, d := range out.MFADevices {
				got = append(got, strings.TrimPrefix(*d.SerialNumber, mfaARN))
			}
			if in.Marker = out.Marker; !out.IsTruncated {
				break
			}
		}
		if want := "[0 1 2 3 4 5 6 7]"; fmt.Sprint(got) != want {
			t.Errorf("pages have %v, want %s", got, want)
		}
	})
}

func TestListVirtualMFADevicesPages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann")
		var phones []phone
		for _, name := range []string{"d", "c", "b", "a"} {
			phones = append(phones, w.device(t, name))
		}
		must(t, w.root, w.EnableMFADevice, phones[1].enable(t, "ann", w.clock.Now()))
		for status, want := range map[types.AssignmentStatusType]string{
			"": "[d c b a]", "Any": "[d c b a]", "Assigned": "[c]", "Unassigned": "[d b a]",
		} {
			var got []string
			in := &iam.ListVirtualMFADevicesInput{AssignmentStatus: status, MaxItems: ptr[int32](1)}
			for {
				out := must(t, w.root, w.ListVirtualMFADevices, in)
				for _, d := range out.VirtualMFADevices {
					got = append(got, strings.TrimPrefix(*d.SerialNumber, mfaARN))
				}
				if in.Marker = out.Marker; !out.IsTruncated {
					break
				}
			}
			if fmt.Sprint(got) != want {
				t.Errorf("%q: %v, want %s", status, got, want)
			}
		}
		first := must(t, w.root, w.ListVirtualMFADevices, &iam.ListVirtualMFADevicesInput{MaxItems: ptr[int32](1)})
		refused(t, w.root, w.ListVirtualMFADevices,
			&iam.ListVirtualMFADevicesInput{Marker: first.Marker, AssignmentStatus: "Unassigned"},
			400, "ValidationError", "Invalid Marker.")
	})
}

// Root has no user name. It enables its own device under the account's number.
func TestRootMFADevice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "root")
		p, other := w.device(t, "root-account-mfa-device"), w.device(t, "other")
		now := w.clock.Now()
		refused(t, w.root, w.EnableMFADevice, other.enable(t, account, now), 404, "NoSuchEntity",
			"The user with name "+account+" cannot be found.")
		refused(t, w.asUser(t, "root"), w.EnableMFADevice, p.enable(t, account, now), 404, "NoSuchEntity",
			"The user with name "+account+" cannot be found.")
		must(t, w.root, w.EnableMFADevice, p.enable(t, account, now))
		refused(t, w.root, w.EnableMFADevice, p.enable(t, account, now), 409, "EntityAlreadyExists",
			"MFA Device for user "+account+" already exists.")
		must(t, w.root, w.ResyncMFADevice, p.resync(t, "root", now.Add(2*step)))

		list := must(t, w.root, w.ListMFADevices, &iam.ListMFADevicesInput{})
		if diff := cmp.Diff([]types.MFADevice{{SerialNumber: &p.serial, EnableDate: &now}},
			list.MFADevices, ignoreSDK); diff != "" {
			t.Error(diff)
		}
		owned := must(t, w.root, w.ListVirtualMFADevices,
			&iam.ListVirtualMFADevicesInput{AssignmentStatus: "Assigned"}).VirtualMFADevices
		if len(owned) != 1 || owned[0].User == nil || *owned[0].User.Arn != "arn:aws:iam::"+account+":root" ||
			owned[0].User.UserName != nil {
			t.Errorf("root's device is listed as %+v", owned)
		}
		if list := must(t, w.root, w.ListMFADevices,
			&iam.ListMFADevicesInput{UserName: ptr("root")}); len(list.MFADevices) > 0 {
			t.Error("a user called root has root's device")
		}
		must(t, w.root, w.DeactivateMFADevice, &iam.DeactivateMFADeviceInput{SerialNumber: &p.serial})
	})
}

// A call without a user name lists the caller's devices.
func TestListMFADevicesOfCaller(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "ann")
		ann := w.asUser(t, "ann")
		p := w.device(t, "phone")
		must(t, ann, w.EnableMFADevice, p.enable(t, "ann", w.clock.Now()))
		if list := must(t, ann, w.ListMFADevices, &iam.ListMFADevicesInput{}); len(list.MFADevices) != 1 ||
			*list.MFADevices[0].UserName != "ann" {
			t.Errorf("%+v", list.MFADevices)
		}
		if list := must(t, w.root, w.ListMFADevices, &iam.ListMFADevicesInput{}); len(list.MFADevices) > 0 {
			t.Error("root has ann's device")
		}
	})
}

func TestMFADeviceOfAnotherAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.device(t, "phone")
		k := w.newAccount(t, "210987654321")
		other := w.as(t, k.ID, k.Secret.Reveal())
		refused(t, other, w.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &p.serial}, 404,
			"NoSuchEntity",
			"MFA Device with serial number "+p.serial+" does not exist.")
		if all := must(t, other, w.ListVirtualMFADevices, &iam.ListVirtualMFADevicesInput{}); len(
			all.VirtualMFADevices) > 0 {
			t.Error("another account's device is listed")
		}
	})
}

// A change on another node between the first check of the codes and their
// acceptance counts.
func TestEnableMFADeviceMeanwhile(t *testing.T) {
	for name, test := range map[string]struct {
		meanwhile     func(t *testing.T, w *world, p phone)
		status        int
		code, message string
	}{
		"the codes were used": {func(t *testing.T, w *world, p phone) {
			must(t, w.root, w.EnableMFADevice, p.enable(t, "ann", w.clock.Now()))
			must(t, w.root, w.DeactivateMFADevice, p.deactivate("ann"))
		}, 403, "InvalidAuthenticationCode", badCodes},
		"the device was created again": {func(t *testing.T, w *world, p phone) {
			must(t, w.root, w.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &p.serial})
			w.device(t, "phone")
		}, 403, "InvalidAuthenticationCode", badCodes},
		"somebody else has it": {func(t *testing.T, w *world, p phone) {
			must(t, w.root, w.EnableMFADevice, p.enable(t, "bob", w.clock.Now().Add(2*step)))
		}, 409, "EntityAlreadyExists", "MFA Device is already in use."},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := storetest.SQLite(t)
			w := newWorld(t, cfg, identity.Config{})
			w.user(t, "ann")
			w.user(t, "bob")
			p := w.device(t, "phone")

			// The other node reads the clock when it reads, when it checks the
			// codes, and when it writes.
			asked := -1000
			cfg.Now = func() time.Time {
				if asked++; asked == 2 {
					test.meanwhile(t, w, p)
				}
				return w.clock.Now()
			}
			other, err := identity.New(t.Context(), identity.Config{DB: storetest.Open(t, cfg), Master: w.master})
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			in := p.enable(t, "ann", w.clock.Now())
			asked = 0
			refused(t, w.root, other.EnableMFADevice, in, test.status, test.code, test.message)
			if asked != 3 {
				t.Errorf("the clock was read %d times, want 3", asked)
			}
		})
	}
}
