package identity

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// The device that the root user is given has this name (observed).
const rootDeviceName = "root-account-mfa-device"

// Bounds of a serial number, which is the device's ARN. IAM's model gives no
// bound for the name of a device but 256 characters for its serial, and
// refuses serials with other characters than these: a device beyond that
// could never be enabled or deleted again.
const (
	maxSerial   = 256
	serialChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=/:,.@-"
)

// deviceARN is the serial number of a virtual device.
func deviceARN(c principal.Caller, path, name string) string {
	return "arn:" + c.Partition() + ":iam::" + c.Account() + ":mfa" + path + name
}

// VirtualDeviceSerial returns the serial number of the device of a name in a
// caller's account.
func VirtualDeviceSerial(c principal.Caller, name string) string { return deviceARN(c, "/", name) }

// newSerial is the serial number of a new device. What the texts say is a
// guess, but for the second, which is recorded for other bad paths.
func newSerial(c principal.Caller, path, name string) (string, error) {
	if most := maxSerial - len(deviceARN(c, "/", "")); len(name) > most {
		return "", fail("ValidationError",
			"1 validation error detected: Value at 'virtualMFADeviceName' failed to satisfy constraint: Member must "+
				"have length less than or equal to %d", most)
	}
	if strings.Trim(path, serialChars) != "" {
		return "", fail("ValidationError",
			"The specified value for path is invalid. It must begin and end with / and contain only alphanumeric "+
				"characters and/or / characters.")
	}
	if most := maxSerial - len(deviceARN(c, "", name)); len(path) > most {
		return "", fail("ValidationError",
			"1 validation error detected: Value at 'path' failed to satisfy constraint: Member must have length less "+
				"than or equal to %d", most)
	}
	return deviceARN(c, path, name), nil
}

// newDeviceID makes an id that sorts by time: the milliseconds to base 32,
// nine digits from 2004 to 3084, then ten random ones.
func newDeviceID(now time.Time) string {
	return strconv.FormatInt(now.UnixMilli(), 32) + seal.NewID("", 10)
}

// devicePlace returns the place that a device's seed is sealed for. The id
// names this very device; its serial may be given to another one later.
func devicePlace(account, id string) seal.Location {
	return seal.Location{Table: "mfa_devices", Key: account + "/" + id, Column: "seed"}
}

// errNoDevice is recorded.
func errNoDevice(serial string) error {
	return fail("NoSuchEntity", "MFA Device with serial number %s does not exist.", serial)
}

// device reads a device by its serial.
func device(tx *store.Tx, account, serial string) (store.MFADevice, error) {
	d, err := tx.MFADevice(account, serial)
	if errors.Is(err, store.ErrNotFound) {
		err = errNoDevice(serial)
	}
	return d, err
}

// CreateVirtualMFADevice makes a device that belongs to nobody yet. Its seed
// is in this answer and in no other.
func (s *Service) CreateVirtualMFADevice(
	ctx context.Context, in *iam.CreateVirtualMFADeviceInput,
) (*iam.CreateVirtualMFADeviceOutput, error) {
	c := principal.Of(ctx)
	tags, err := exactTagKeys.read(in.Tags)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial(c, pathOrRoot(in.Path), *in.VirtualMFADeviceName)
	if err != nil {
		return nil, err
	}
	seed := seal.NewTOTPSeed()
	// The model: the account name in the code is the user's name if there is
	// one, else the account's number.
	owner := c.UserName()
	if owner == "" {
		owner = c.Account()
	}
	png, err := seal.MFAQRCode(seal.MFAURI(*in.VirtualMFADeviceName, owner, seed))
	if err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		d := store.MFADevice{Account: c.Account(), Serial: serial, ID: newDeviceID(tx.Now), Created: tx.Now}
		d.Seed = s.keys.SealSecret(seed, devicePlace(d.Account, d.ID))
		if err := tx.InsertMFADevice(d); err != nil {
			if errors.Is(err, store.ErrExists) {
				return fail("EntityAlreadyExists", "MFA device already exists.")
			}
			return err
		}
		return insertTags(tx, store.MFADeviceTags, d.Account, serial, tags)
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateVirtualMFADeviceOutput{VirtualMFADevice: &types.VirtualMFADevice{
		SerialNumber: &serial, Base32StringSeed: []byte(seed.Reveal()), QRCodePNG: png, Tags: tagsOut(tags),
	}}, nil
}

// EnableMFADevice gives a device to a user who proves to hold it by two
// consecutive codes.
func (s *Service) EnableMFADevice(
	ctx context.Context, in *iam.EnableMFADeviceInput,
) (*iam.EnableMFADeviceOutput, error) {
	if p := passkeyOf(ctx); p != nil {
		return &iam.EnableMFADeviceOutput{}, s.enablePasskey(ctx, in, p)
	}
	c := principal.Of(ctx)
	p := pair{c: c, user: *in.UserName, serial: *in.SerialNumber,
		codes: [2]string{*in.AuthenticationCode1, *in.AuthenticationCode2}}
	p.guard = func(tx *store.Tx, u store.User) error { return mayManageOwn(tx, c, u) }
	err := s.withPair(ctx, p, mayEnable, func(tx *store.Tx, u store.User, d store.MFADevice) error {
		d.NameKey, d.Enabled = u.NameKey, tx.Now
		return tx.AssignMFADevice(d)
	})
	return &iam.EnableMFADeviceOutput{}, err
}

// mayEnable checks what must be true before the codes are checked.
func mayEnable(tx *store.Tx, u store.User, d store.MFADevice) error {
	switch {
	case d.Assigned && d.NameKey == u.NameKey:
		name := u.Name
		if u.NameKey == "" {
			name = u.Account
		}
		return fail("EntityAlreadyExists", "MFA Device for user %s already exists.", name)
	case d.Assigned:
		return fail("EntityAlreadyExists", "MFA Device is already in use.")
	}
	have, err := userDevices(tx, u.Account, u.NameKey)
	if err != nil {
		return err
	}
	return checkQuota(tx, u.Account, mfaDevicesPerUser, len(have)+1)
}

// mayManageOwn holds a user to its devices: a user that has one adds or removes its
// own only in a session that was begun with MFA, so that a stolen key cannot
// take the place of a device (AWS-2023-001). Of others it is their policies
// that decide. The text is recorded, and that it comes before all that is said
// of the device.
//
// Root is let: it has no other way to its device here.
func mayManageOwn(tx *store.Tx, c principal.Caller, u store.User) error {
	session := c.Session()
	if c.Kind() != principal.User || c.User().ID != u.ID || session != nil && !session.MFA.IsZero() {
		return nil
	}
	have, err := userDevices(tx, u.Account, u.NameKey)
	if err != nil || len(have) == 0 {
		return err
	}
	return fail("AccessDenied",
		"To complete this action, please ensure that you are authenticated with an MFA device that is enabled for "+
			"this user.")
}

// ResyncMFADevice learns again how far a user's device is off our time, by two
// consecutive codes.
func (s *Service) ResyncMFADevice(
	ctx context.Context, in *iam.ResyncMFADeviceInput,
) (*iam.ResyncMFADeviceOutput, error) {
	c := principal.Of(ctx)
	p := pair{c: c, user: *in.UserName, serial: *in.SerialNumber,
		codes: [2]string{*in.AuthenticationCode1, *in.AuthenticationCode2}}
	err := s.withPair(ctx, p, isOf, func(tx *store.Tx, _ store.User, d store.MFADevice) error {
		return tx.AssignMFADevice(d)
	})
	return &iam.ResyncMFADeviceOutput{}, err
}

// isOf fails for a device that is not the user's (recorded).
func isOf(_ *store.Tx, u store.User, d store.MFADevice) error {
	if !d.Assigned || d.NameKey != u.NameKey {
		return fail("NoSuchEntity", "MFA Device invalid for user.")
	}
	return nil
}

// pair is two codes that shall prove a device for a user.
type pair struct {
	c            principal.Caller
	user, serial string
	codes        [2]string
	// guard says whether the caller may at all, before the device is looked at;
	// nil for yes.
	guard func(*store.Tx, store.User) error
}

// errCodes is recorded for equal, reversed, used and wrong codes alike.
func errCodes() error {
	return fail("InvalidAuthenticationCode", "Authentication code for device is not valid.")
}

// withPair checks a pair of codes and then lets apply write the device, whose
// LastStep and Drift are the pair's. No pair works twice: the step that it is
// held against is read by the transaction that writes the new one.
//
// The search through a device's window takes milliseconds when it fails, so it
// is created before that transaction too: wrong codes never hold the writer.
func (s *Service) withPair(ctx context.Context, p pair, may func(*store.Tx, store.User, store.MFADevice) error,
	apply func(*store.Tx, store.User, store.MFADevice) error,
) error {
	read := func(tx *store.Tx) (u store.User, d store.MFADevice, err error) {
		if u, err = deviceUser(tx, p.c, &p.user, p.serial); err != nil {
			return u, d, err
		}
		if p.guard != nil {
			if err = p.guard(tx, u); err != nil {
				return u, d, err
			}
		}
		if d, err = device(tx, p.c.Account(), p.serial); err != nil {
			return u, d, err
		}
		return u, d, may(tx, u, d)
	}
	var first store.MFADevice
	if err := s.db.View(ctx, func(tx *store.Tx) (err error) { _, first, err = read(tx); return err }); err != nil {
		return err
	}
	seed, err := s.openSecret(ctx, first.Seed, devicePlace(first.Account, first.ID))
	if err != nil {
		return err
	}
	if _, _, ok := seal.MatchPair(seed, p.codes[0], p.codes[1], s.db.Now(), first.Drift, first.LastStep); !ok {
		return errCodes()
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		u, d, err := read(tx)
		if err != nil {
			return err
		}
		if d.ID != first.ID {
			// Deleted and made again meanwhile: the codes are the old one's.
			return errCodes()
		}
		var ok bool
		if d.LastStep, d.Drift, ok = seal.MatchPair(seed, p.codes[0], p.codes[1], tx.Now, d.Drift, d.LastStep); !ok {
			return errCodes()
		}
		return apply(tx, u, d)
	})
}

// deviceUser reads the user of a call about a device, the caller where it
// names none.
//
// Root has no user name, and EnableMFADevice requires one. AWS enrols root's
// device in its console only. Here root calls with the device that is named
// for it and its account number, or root, as the user name.
func deviceUser(tx *store.Tx, c principal.Caller, name *string, serial string) (store.User, error) {
	roots := serial == deviceARN(c, "/", rootDeviceName) || isPasskeySerial(c, serial)
	if name != nil && c.IsRoot() && roots && (*name == c.Account() || *name == "root") {
		name = nil
	}
	return userOrCaller(tx, c, name)
}

// DeactivateMFADevice takes a device from its user. A virtual device stays,
// and can be enabled again by newer codes; a passkey is gone.
func (s *Service) DeactivateMFADevice(
	ctx context.Context, in *iam.DeactivateMFADeviceInput,
) (*iam.DeactivateMFADeviceOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := deviceUser(tx, c, in.UserName, *in.SerialNumber)
		if err != nil {
			return err
		}
		if err := mayManageOwn(tx, c, u); err != nil {
			return err
		}
		if isPasskeySerial(c, *in.SerialNumber) {
			p, err := passkey(tx, u, *in.SerialNumber)
			if err != nil {
				return err
			}
			return tx.DeletePasskey(p.Account, p.Serial)
		}
		d, err := device(tx, c.Account(), *in.SerialNumber)
		if err != nil {
			return err
		}
		if err := isOf(tx, u, d); err != nil {
			return err
		}
		return tx.UnassignMFADevice(d.Account, d.Serial)
	})
	return &iam.DeactivateMFADeviceOutput{}, err
}

// DeleteVirtualMFADevice deletes a device that belongs to nobody.
func (s *Service) DeleteVirtualMFADevice(
	ctx context.Context, in *iam.DeleteVirtualMFADeviceInput,
) (*iam.DeleteVirtualMFADeviceOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		d, err := device(tx, c.Account(), *in.SerialNumber)
		if err != nil {
			return err
		}
		if d.Assigned {
			return fail("DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.")
		}
		return tx.DeleteMFADevice(d.Account, d.Serial)
	})
	return &iam.DeleteVirtualMFADeviceOutput{}, err
}

// ListMFADevices lists the devices of a user, the caller where none is named,
// in order of their age.
func (s *Service) ListMFADevices(ctx context.Context, in *iam.ListMFADevicesInput) (*iam.ListMFADevicesOutput, error) {
	c := principal.Of(ctx)
	p, err := s.page(c, "ListMFADevices", fold(str(in.UserName)), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var u store.User
	var devices []MFADevice
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if u, err = userOrCaller(tx, c, in.UserName); err != nil {
			return err
		}
		devices, err = userDevices(tx, u.Account, u.NameKey)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListMFADevicesOutput{}
	devices, out.IsTruncated, out.Marker = cutAll(p, devices, func(d MFADevice) string { return d.id })
	out.MFADevices = make([]types.MFADevice, len(devices))
	for i, d := range devices {
		out.MFADevices[i] = types.MFADevice{UserName: nameOut(u), SerialNumber: &d.Serial, EnableDate: when(d.Enabled)}
	}
	return out, nil
}

// ListVirtualMFADevices lists the account's devices in order of their age.
// Seeds and tags are never listed (recorded).
func (s *Service) ListVirtualMFADevices(
	ctx context.Context, in *iam.ListVirtualMFADevicesInput,
) (*iam.ListVirtualMFADevicesOutput, error) {
	c := principal.Of(ctx)
	which := store.AnyDevice
	switch in.AssignmentStatus {
	case types.AssignmentStatusTypeAssigned:
		which = store.AssignedDevice
	case types.AssignmentStatusTypeUnassigned:
		which = store.UnassignedDevice
	}
	p, err := s.page(c, "ListVirtualMFADevices", string(which), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var devices []store.OwnedMFADevice
	err = s.db.View(ctx, func(tx *store.Tx) error {
		devices, err = tx.MFADevices(c.Account(), p.after, which, p.limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListVirtualMFADevicesOutput{}
	devices, out.IsTruncated, out.Marker = cut(p, devices, func(d store.OwnedMFADevice) string { return d.ID })
	out.VirtualMFADevices = make([]types.VirtualMFADevice, len(devices))
	for i, d := range devices {
		out.VirtualMFADevices[i] = types.VirtualMFADevice{SerialNumber: &d.Serial, EnableDate: when(d.Enabled)}
		if d.Assigned {
			out.VirtualMFADevices[i].User = ptr(userOut(c, d.User))
		}
	}
	return out, nil
}

// GetMFADevice knows FIDO devices only, as AWS's does; the text for others is
// recorded. Rollcall knows no certifications of FIDO devices: AWS takes them
// from the metadata service of the FIDO Alliance.
func (s *Service) GetMFADevice(ctx context.Context, in *iam.GetMFADeviceInput) (*iam.GetMFADeviceOutput, error) {
	c := principal.Of(ctx)
	out := &iam.GetMFADeviceOutput{SerialNumber: in.SerialNumber}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		u, err := userOrCaller(tx, c, in.UserName)
		if err != nil {
			return err
		}
		if !isPasskeySerial(c, *in.SerialNumber) {
			return fail("ValidationError",
				"The MFA device serial number sent in the request is invalid or not supported by "+
					"this API. "+
					"Currently, only hardware FIDO security keys are supported. Please use the compatible "+
					"device or API.")
		}
		p, err := passkey(tx, u, *in.SerialNumber)
		out.UserName, out.EnableDate = nameOut(u), when(p.Enabled)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
