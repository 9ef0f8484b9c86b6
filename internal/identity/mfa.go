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

// The device of the root user has this name (observed).
const rootDeviceName = "root-account-mfa-device"

// Limits of a serial number, which is the device's ARN. IAM's model does not
// limit the name of a device, but it limits its serial to 256 characters and to
// these characters. A device beyond those limits could never be enabled or
// deleted.
const (
	maxSerial   = 256
	serialChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=/:,.@-"
)

// deviceARN returns the serial number of a virtual device.
func deviceARN(c principal.Caller, path, name string) string {
	return "arn:" + c.Partition() + ":iam::" + c.Account() + ":mfa" + path + name
}

// VirtualDeviceSerial returns the serial number of the device with a name in a
// caller's account.
func VirtualDeviceSerial(c principal.Caller, name string) string { return deviceARN(c, "/", name) }

// newSerial returns the serial number of a new device. The texts are guesses,
// except the second, which is recorded for other invalid paths.
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

// newDeviceID creates an id that sorts by time. It consists of the milliseconds
// in base 32, nine digits from 2004 to 3084, and ten random digits.
func newDeviceID(now time.Time) string {
	return strconv.FormatInt(now.UnixMilli(), 32) + seal.NewID("", 10)
}

// devicePlace returns the place that a device's seed is sealed for. The id
// names exactly this device. Another device may get its serial later.
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

// CreateVirtualMFADevice creates an unassigned device. Only this answer
// contains its seed.
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
	// one, otherwise the account's number.
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

// EnableMFADevice assigns a device to a user who shows two consecutive codes of
// it.
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

// mayEnable checks the conditions that do not depend on the codes.
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

// mayManageOwn protects the devices of a user. A user with a device may add or
// remove its own devices only in a session that began with MFA, so a thief of a key
// cannot replace a device (AWS-2023-001). For devices of others, policies decide.
// It is recorded that this check comes before all checks of the device, and so is
// the text.
//
// Root is exempt, because it has no other way to manage its device here.
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

// ResyncMFADevice measures the difference between a device's clock and ours
// again, from two consecutive codes.
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

// isOf returns an error for a device that does not belong to the user
// (recorded).
func isOf(_ *store.Tx, u store.User, d store.MFADevice) error {
	if !d.Assigned || d.NameKey != u.NameKey {
		return fail("NoSuchEntity", "MFA Device invalid for user.")
	}
	return nil
}

// pair is two codes that are to prove a device of a user.
type pair struct {
	c            principal.Caller
	user, serial string
	codes        [2]string
	// guard, if it is not nil, returns an error if the caller may not do this,
	// before the device is read.
	guard func(*store.Tx, store.User) error
}

// errCodes is recorded for equal, reversed, used and wrong codes alike.
func errCodes() error {
	return fail("InvalidAuthenticationCode", "Authentication code for device is not valid.")
}

// withPair checks a pair of codes and then lets apply write the device with the
// LastStep and Drift of the pair. No pair works twice, because the transaction
// that writes the new step also reads the previous one.
//
// A search through a device's window takes milliseconds if it fails. It is
// therefore done before the transaction as well, so wrong codes never block the
// writer.
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
			// The device was deleted and created again in the meantime. The
			// codes belong to the old one.
			return errCodes()
		}
		var ok bool
		if d.LastStep, d.Drift, ok = seal.MatchPair(seed, p.codes[0], p.codes[1], tx.Now, d.Drift, d.LastStep); !ok {
			return errCodes()
		}
		return apply(tx, u, d)
	})
}

// deviceUser reads the user of a call about a device. If the call names no
// user, it is the caller.
//
// Root has no user name, and EnableMFADevice requires one. AWS enrols root's
// device only in its console. Here root passes its account number, or root, as
// the user name, with the device of the name reserved for it.
func deviceUser(tx *store.Tx, c principal.Caller, name *string, serial string) (store.User, error) {
	roots := serial == deviceARN(c, "/", rootDeviceName) || isPasskeySerial(c, serial)
	if name != nil && c.IsRoot() && roots && (*name == c.Account() || *name == "root") {
		name = nil
	}
	return userOrCaller(tx, c, name)
}

// DeactivateMFADevice removes a device from its user. A virtual device still
// exists and can be enabled again with later codes. A passkey is deleted.
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

// DeleteVirtualMFADevice deletes an unassigned device.
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

// ListMFADevices lists the devices of a user in order of their age. If the call
// names no user, it lists the caller's.
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
// Lists never contain seeds or tags (recorded).
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

// GetMFADevice supports only FIDO devices, as AWS's does. The text for others
// is recorded. Rollcall does not know the certifications of FIDO devices, which
// AWS takes from the metadata service of the FIDO Alliance.
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
