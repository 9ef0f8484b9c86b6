package service_test

import (
	"bytes"
	"fmt"
	"image/png"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/pquerna/otp/totp"

	"rollcall/internal/seal"
)

const mfaARN = "arn:aws:iam::" + account + ":mfa/"

const badCodes = "Authentication code for device is not valid."

const step = 30 * time.Second

// phone simulates a virtual device.
type phone struct{ serial, seed string }

// device creates a virtual device. The clock moves, so that lists have the
// devices in the order of their creation.
func (w *world) device(t testing.TB, name string) phone {
	t.Helper()
	w.clock.advance(time.Second)
	d := must(t, w.root.CreateVirtualMFADevice,
		&iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &name}).VirtualMFADevice
	return phone{*d.SerialNumber, string(d.Base32StringSeed)}
}

// enabledDevice gives a user a device.
func (w *world) enabledDevice(t testing.TB, user string) phone {
	t.Helper()
	p := w.device(t, user)
	must(t, w.root.EnableMFADevice, p.enable(t, user, w.clock.Now()))
	return p
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

func TestMFADevices(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		w.user(t, "bob")
		out := must(t, w.root.CreateVirtualMFADevice,
			&iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: ptr("ann"), Path: ptr("/x//y/"),
				Tags: tags("k", "v")}).VirtualMFADevice
		same(t, *out, types.VirtualMFADevice{
			SerialNumber: ptr(mfaARN + "x//y/ann"), Base32StringSeed: out.Base32StringSeed,
			QRCodePNG: out.QRCodePNG, Tags: tags("k", "v"),
		})
		code, err := seal.MFAQRCode(seal.MFAURI("ann", account, seal.NewSecret(string(out.Base32StringSeed))))
		if err != nil || !bytes.Equal(out.QRCodePNG, code) {
			t.Errorf("the picture is not of otpauth://totp/ann@%s?secret=…, %v", account, err)
		}
		if _, err := png.Decode(bytes.NewReader(out.QRCodePNG)); err != nil {
			t.Error(err)
		}
		ann := phone{*out.SerialNumber, string(out.Base32StringSeed)}
		refused(t, w.root.CreateVirtualMFADevice,
			&iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: ptr("ann"), Path: ptr("/x//y/")}, 409,
			"EntityAlreadyExists", "MFA device already exists.")

		now := w.clock.Now
		t.Run("wrong codes", func(t *testing.T) {
			enable := ann.enable(t, "ann", now())
			enable.AuthenticationCode1, enable.AuthenticationCode2 = enable.AuthenticationCode2,
				enable.AuthenticationCode1
			refused(t, w.root.EnableMFADevice, enable, 403, "InvalidAuthenticationCode", badCodes)
			enable.AuthenticationCode1 = enable.AuthenticationCode2
			refused(t, w.root.EnableMFADevice, enable, 403, "InvalidAuthenticationCode", badCodes)
			refused(t, w.root.EnableMFADevice, ann.enable(t, "ann", now().Add(1100*step)), 403,
				"InvalidAuthenticationCode", badCodes)
		})
		must(t, w.root.EnableMFADevice, ann.enable(t, "ann", now().Add(-500*step))) // its clock is 250 minutes behind
		t.Run("lists", func(t *testing.T) {
			same(t, must(t, w.root.ListMFADevices, &iam.ListMFADevicesInput{UserName: ptr("ANN")}),
				&iam.ListMFADevicesOutput{
					MFADevices: []types.MFADevice{
						{UserName: ptr("Ann"), SerialNumber: &ann.serial, EnableDate: ptr(now())}},
				})
			spare := w.device(t, "spare")
			user := must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("ann")}).User
			assigned := types.VirtualMFADevice{SerialNumber: &ann.serial, EnableDate: ptr(began), User: user}
			unassigned := types.VirtualMFADevice{SerialNumber: &spare.serial}
			for status, want := range map[types.AssignmentStatusType][]types.VirtualMFADevice{
				"": {assigned, unassigned}, "Any": {assigned, unassigned}, "Assigned": {assigned},
				"Unassigned": {unassigned},
			} {
				same(t, must(t, w.root.ListVirtualMFADevices,
					&iam.ListVirtualMFADevicesInput{AssignmentStatus: status}),
					&iam.ListVirtualMFADevicesOutput{VirtualMFADevices: want})
			}
			same(t, must(t, w.root.ListMFADevices, &iam.ListMFADevicesInput{}),
				&iam.ListMFADevicesOutput{MFADevices: []types.MFADevice{}})
		})
		t.Run("in use", func(t *testing.T) {
			refused(t, w.root.EnableMFADevice, ann.enable(t, "ann", now()), 409, "EntityAlreadyExists",
				"MFA Device for user Ann already exists.")
			refused(t, w.root.EnableMFADevice, ann.enable(t, "bob", now()), 409, "EntityAlreadyExists",
				"MFA Device is already in use.")
			refused(t, w.root.DeactivateMFADevice, ann.deactivate("bob"), 404, "NoSuchEntity",
				"MFA Device invalid for user.")
			refused(t, w.root.ResyncMFADevice, ann.resync(t, "bob", now()), 404, "NoSuchEntity",
				"MFA Device invalid for user.")
			refused(t, w.root.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &ann.serial}, 409,
				"DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.")
		})
		t.Run("resync", func(t *testing.T) {
			// no pair works twice
			refused(t, w.root.ResyncMFADevice, ann.resync(t, "ann", now().Add(-500*step)), 403,
				"InvalidAuthenticationCode", badCodes)
			must(t, w.root.ResyncMFADevice, ann.resync(t, "ann", now()))
		})
		t.Run("unknown", func(t *testing.T) {
			gone := phone{mfaARN + "gone", ann.seed}
			const message = "MFA Device with serial number " + mfaARN + "gone does not exist."
			refused(t, w.root.EnableMFADevice, gone.enable(t, "ann", now()), 404, "NoSuchEntity", message)
			refused(t, w.root.ResyncMFADevice, gone.resync(t, "ann", now()), 404, "NoSuchEntity", message)
			refused(t, w.root.DeactivateMFADevice, gone.deactivate("ann"), 404, "NoSuchEntity", message)
			refused(t, w.root.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &gone.serial},
				404, "NoSuchEntity", message)
			refused(t, w.root.TagMFADevice, &iam.TagMFADeviceInput{SerialNumber: &gone.serial, Tags: tags("k", "v")},
				404, "NoSuchEntity", message)
			refused(t, w.root.UntagMFADevice,
				&iam.UntagMFADeviceInput{SerialNumber: &gone.serial, TagKeys: []string{"k"}},
				404, "NoSuchEntity", message)
			refused(t, w.root.ListMFADeviceTags, &iam.ListMFADeviceTagsInput{SerialNumber: &gone.serial},
				404, "NoSuchEntity", message)
		})
		refused(t, w.root.GetMFADevice, &iam.GetMFADeviceInput{SerialNumber: &ann.serial, UserName: ptr("ann")}, 400,
			"ValidationError",
			"The MFA device serial number sent in the request is invalid or not supported by this API. "+
				"Currently, only hardware FIDO security keys are supported. Please use the compatible device or API.")
		t.Run("given back", func(t *testing.T) {
			must(t, w.root.DeactivateMFADevice, ann.deactivate("ann"))
			refused(t, w.root.EnableMFADevice, ann.enable(t, "bob", now()), 403, "InvalidAuthenticationCode", badCodes)
			must(t, w.root.EnableMFADevice, ann.enable(t, "bob", now().Add(5*step)))
			must(t, w.root.DeactivateMFADevice, ann.deactivate("bob"))
			must(t, w.root.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &ann.serial})
		})
	})
}

func TestMFADevicesPerUser(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "u")
	for i := range 8 {
		p := w.device(t, fmt.Sprintf("device-%d", i))
		must(t, w.root.EnableMFADevice, p.enable(t, "u", w.clock.Now()))
	}
	ninth := w.device(t, "device-8")
	refused(t, w.root.EnableMFADevice, ninth.enable(t, "u", w.clock.Now()), 409, "LimitExceeded",
		"Cannot exceed quota for MFADevicesPerUser: 8")
}

func TestMFADeviceTags(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		p := w.device(t, "d")
		tag := func(all []types.Tag) *iam.TagMFADeviceInput {
			return &iam.TagMFADeviceInput{SerialNumber: &p.serial, Tags: all}
		}
		list := func() *iam.ListMFADeviceTagsOutput {
			return must(t, w.root.ListMFADeviceTags, &iam.ListMFADeviceTagsInput{SerialNumber: &p.serial})
		}
		same(t, list(), &iam.ListMFADeviceTagsOutput{Tags: []types.Tag{}})
		must(t, w.root.TagMFADevice, tag(tags("k", "1", "K", "2")))
		must(t, w.root.TagMFADevice, tag(tags("k", "3")))
		same(t, list(), &iam.ListMFADeviceTagsOutput{Tags: tags("K", "2", "k", "3")})
		refused(t, w.root.TagMFADevice, tag(tags("x", "1", "x", "2")), 400, "InvalidInput", "Duplicate tag keys found.")
		refused(t, w.root.TagMFADevice, tag(tags("aws:x", "1")), 400, "InvalidInput",
			"Tag keys beginning with aws: are reserved for system use.")
		refused(t, w.root.TagMFADevice, tag([]types.Tag{}), 400, "InvalidInput",
			"The provided tag map must not be null/empty.")
		refused(t, w.root.TagMFADevice, tag(manyTags(0, 49)), 409, "LimitExceeded",
			"The number of tags has reached the maximum limit.")
		must(t, w.root.UntagMFADevice,
			&iam.UntagMFADeviceInput{SerialNumber: &p.serial, TagKeys: []string{"k", "absent"}})
		same(t, list(), &iam.ListMFADeviceTagsOutput{Tags: tags("K", "2")})
	})
}

// A user with a device may add and remove its own only in a session that began
// with MFA, so a thief of a key cannot replace the device.
func TestManagingOwnMFADevices(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		w.user(t, "bob")
		ann := w.asUser(t, "Ann")
		w.putUserPolicy(t, "Ann", ptr(allowAll))
		const refusal = "To complete this action, please ensure that you are authenticated with an MFA device that " +
			"is enabled for this user."
		first, second := w.device(t, "first"), w.device(t, "second")
		// The first device does not need one.
		must(t, ann.EnableMFADevice, first.enable(t, "Ann", w.clock.Now()))
		plain := w.asSession(must(t, ann.sts.GetSessionToken, &sts.GetSessionTokenInput{}).Credentials)
		refused(t, ann.EnableMFADevice, second.enable(t, "Ann", w.clock.Now()), 403, "AccessDenied", refusal)
		// This check comes before all checks of the device.
		nothing := phone{serial: mfaARN + "nothing", seed: first.seed}
		for _, p := range []phone{first, nothing} {
			refused(t, ann.EnableMFADevice, p.enable(t, "Ann", w.clock.Now()), 403, "AccessDenied", refusal)
			refused(t, ann.DeactivateMFADevice, p.deactivate("Ann"), 403, "AccessDenied", refusal)
		}
		refused(t, plain.DeactivateMFADevice, first.deactivate("Ann"), 403, "InvalidClientTokenId",
			"The security token included in the request is invalid")
		w.clock.advance(2 * step)
		withMFA := w.asSession(
			must(t, ann.sts.GetSessionToken,
				&sts.GetSessionTokenInput{SerialNumber: &first.serial,
					TokenCode: first.code(t, w.clock.Now())}).Credentials)
		must(t, withMFA.EnableMFADevice, second.enable(t, "Ann", w.clock.Now()))
		must(t, withMFA.DeactivateMFADevice, first.deactivate("Ann"))
		must(t, withMFA.DeactivateMFADevice, second.deactivate("Ann"))

		// For devices of others, policies decide. Root is exempt.
		bobs := w.enabledDevice(t, "bob")
		must(t, ann.DeactivateMFADevice, bobs.deactivate("bob"))
		w.enabledDevice(t, "Ann")
		arn := w.role(t, "worker", trusting("Ann"))
		w.putRolePolicy(t, "worker", ptr(allowAll))
		worker := w.assume(t, ann, arn, "night")
		w.clock.advance(10 * step)
		must(t, worker.EnableMFADevice, first.enable(t, "Ann", w.clock.Now()))
	})
}
