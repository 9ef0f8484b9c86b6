package console

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/a-h/templ"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
)

// The MFA devices of a user, and the page that enrols one.

const newDevicePath = "/console/mfa/new"

func (c *Console) devicePages() []page {
	return []page{{
		path: newDevicePath, title: "Add an MFA device", get: c.newDevice,
		post: posts{
			"create-totp": c.createTOTP, "enable-totp": c.enableTOTP, "cancel-totp": c.cancelTOTP,
			"begin-passkey": c.beginPasskey, "passkey": c.finishPasskey,
		},
	}}
}

func (c *Console) devices(v *visit, who subject) section {
	s := section{
		ID: "mfa", Title: "MFA devices", Head: []string{"Device", "Kind", "Enabled", "Serial number", ""},
		Empty: "No MFA device: the password alone is enough to sign in.",
	}
	out, err := do(v, c.iam.ListMFADevices, &iam.ListMFADevicesInput{UserName: who.User})
	if err != nil {
		return s.refuse(v, err)
	}
	for _, d := range out.MFADevices {
		kind, serial := "Authenticator app", *d.SerialNumber
		if isPasskey(serial) {
			kind = "Passkey or security key"
		}
		remove := button{
			Do: "remove-device", Label: "Remove", With: []pair{{"serial", serial}},
			Danger: true, Name: deviceName(serial),
			What: "The device proves nothing any more.",
			Denied: may(
				v,
				c.iam.DeactivateMFADevice,
				&iam.DeactivateMFADeviceInput{UserName: who.User, SerialNumber: &serial},
			),
		}
		s.Rows = append(s.Rows, row{
			Cells:   []cell{text(deviceName(serial)), text(kind), dated(v.when(d.EnableDate, "")), code(serial)},
			Buttons: []button{remove},
		})
	}
	s.Links = []entry{{Text: "Add a device", Path: deviceLink(who)}}
	return s
}

func deviceLink(who subject) string {
	if who.Self && who.Path == myPath {
		return newDevicePath
	}
	return link(newDevicePath, "name", who.Name)
}

func isPasskey(serial string) bool { return strings.Contains(serial, ":u2f/") }

func (c *Console) devicePosts() posts {
	return posts{
		"remove-device": change("The device is removed.", func(v *visit, who subject) error {
			serial := v.field("serial")
			if err := v.typed(deviceName(serial)); err != nil {
				return err
			}
			return c.dropDevice(v, who, serial)
		}),
	}
}

// newDeviceView is the data of the page that adds a device.
type newDeviceView struct {
	For     string // the name of another user
	Back    string
	Name    field
	Label   field
	Denied  string // why no device that shows codes can be created
	Passkey string // why no passkey can be added
	Again   bool   // the session began without a device although the person has one
	// The second step of a device that shows codes:
	Serial, Seed string
	QR           templ.SafeURL
	Codes        []field
}

func (c *Console) newDevice(v *visit) error {
	who, err := v.subject()
	if err != nil {
		return err
	}
	s := c.newDeviceView(v, who)
	if v.field("do") == "enable-totp" {
		return v.showSeed(s, who, v.field("serial"), v.field("seed"))
	}
	what, err := v.takeKept(seedCookie)
	if err != nil {
		return err
	}
	if d := what.Device; d != nil && d.Path == who.Path {
		return v.showSeed(s, who, d.Serial, d.Seed)
	}
	return v.show(s.html())
}

// showSeed shows the second step of enrolling a device that shows codes.
func (v *visit) showSeed(s newDeviceView, who subject, serial, seed string) error {
	s.Serial, s.Seed = serial, seed
	s.QR = qrCode(who, v.session.Caller.Account(), serial, seed)
	return v.show(s.html())
}

func (c *Console) newDeviceView(v *visit, who subject) newDeviceView {
	name := who.Name
	if who.Root {
		name = "root-account-mfa-device"
	}
	if typed := v.field("device"); typed != "" {
		name = typed
	}
	s := newDeviceView{
		Back: who.Path,
		Name: field{Name: "device", Label: "Name of the device", Value: name, Max: 226, Complete: "off"},
		Label: field{
			Name: "label", Label: "Name of the passkey", Value: v.field("label"), Max: 64, Complete: "off",
			Hint: "Such as the device it is on. Letters, digits and +=,.@-_",
		},
		Codes: []field{
			{
				Name:     "code1",
				Label:    "A code",
				Complete: "one-time-code",
				Pattern:  "[0-9]{6}",
				Short:    true,
				Max:      6,
				Focus:    true,
			},
			{Name: "code2", Label: "The next code", Complete: "off", Pattern: "[0-9]{6}", Short: true, Max: 6},
		},
	}
	if !who.Self {
		s.For = who.Name
	} else if now := v.session.Caller.Session(); now != nil && now.MFA.IsZero() {
		// In that case IAM refuses changes to one's own devices.
		out, err := do(v, c.iam.ListMFADevices, &iam.ListMFADevicesInput{UserName: who.User})
		s.Again = err == nil && len(out.MFADevices) > 0
	}
	s.Denied = may(v, c.iam.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &name})
	if err := c.signIn.PasskeysUsable(); err != nil {
		s.Passkey = err.Error()
	}
	return s
}

// createTOTP creates a device that shows codes. It is enabled when two of its
// codes have proved it. An existing device of the same name that is not enabled
// remains from an abandoned enrolment. It is deleted, as in the console of AWS.
func (c *Console) createTOTP(v *visit) error {
	who, err := v.subject()
	if err != nil {
		return err
	}
	name := v.field("device")
	in := &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &name}
	out, err := do(v, c.iam.CreateVirtualMFADevice, in)
	if errorCode(err) == "EntityAlreadyExists" {
		left := identity.VirtualDeviceSerial(v.session.Caller, name)
		// IAM refuses to delete an enabled device.
		_, kept := do(v, c.iam.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &left})
		if kept == nil {
			out, err = do(v, c.iam.CreateVirtualMFADevice, in)
		}
	}
	if err != nil {
		return v.again(err, c.newDevice)
	}
	serial, seed := *out.VirtualMFADevice.SerialNumber, string(out.VirtualMFADevice.Base32StringSeed)
	return v.once(seedCookie, deviceLink(who), kept{Device: &keptDevice{who.Path, serial, seed}},
		func() error { return v.showSeed(c.newDeviceView(v, who), who, serial, seed) })
}

// qrCode draws the code that an authenticator app reads.
func qrCode(who subject, account, serial, seed string) templ.SafeURL {
	owner := who.Name
	if who.Root {
		owner = account
	}
	png, err := seal.MFAQRCode(seal.MFAURI(deviceName(serial), owner, seal.NewSecret(seed)))
	if err != nil {
		return "" // the user can type the seed
	}
	return templ.SafeURL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png))
}

func (c *Console) enableTOTP(v *visit) error {
	who, err := v.subject()
	if err != nil {
		return err
	}
	in := &iam.EnableMFADeviceInput{
		UserName: who.User, SerialNumber: v.fieldPtr("serial"),
		AuthenticationCode1: v.fieldPtr("code1"), AuthenticationCode2: v.fieldPtr("code2"),
	}
	if who.Root {
		account := v.session.Caller.Account()
		in.UserName = &account
	}
	if _, err := do(v, c.iam.EnableMFADevice, in); err != nil {
		return v.again(err, c.newDevice)
	}
	return v.done(who.Path, "The device is enabled. From the next sign-in on it is asked for.")
}

func (c *Console) cancelTOTP(v *visit) error {
	who, err := v.subject()
	if err != nil {
		return err
	}
	in := &iam.DeleteVirtualMFADeviceInput{SerialNumber: v.fieldPtr("serial")}
	if _, err := do(v, c.iam.DeleteVirtualMFADevice, in); err != nil {
		return v.again(err, c.newDevice)
	}
	return v.done(who.Path, "No device was added.")
}

// passkeyUser returns the user for whom package signin enrols a passkey. "" is
// the person who is signed in.
func (v *visit) passkeyUser() (string, subject, error) {
	who, err := v.subject()
	if err != nil || who.Self {
		return "", who, err
	}
	return who.Name, who, nil
}

func (c *Console) beginPasskey(v *visit) error {
	return v.json(func(ctx context.Context) (any, error) {
		user, who, err := v.passkeyUser()
		if err != nil {
			return nil, err
		}
		token, options, err := c.signIn.BeginPasskey(ctx, v.visitOf(who.Path), v.session, user, v.field("label"))
		if err != nil {
			return nil, err
		}
		return struct {
			Token   string          `json:"token"`
			Options json.RawMessage `json:"options"`
		}{token.Reveal(), options}, nil
	})
}

func (c *Console) finishPasskey(v *visit) error {
	_, who, err := v.passkeyUser()
	if err != nil {
		return err
	}
	if v.field("answer") == "" {
		return v.again(&problem{Status: http.StatusBadRequest, Text: "Passkeys need JavaScript."}, c.newDevice)
	}
	_, err = c.signIn.FinishPasskey(
		v.r.Context(),
		v.visitOf(who.Path),
		v.session,
		seal.NewSecret(v.field("token")),
		[]byte(v.field("answer")),
	)
	if err != nil {
		return v.again(err, c.newDevice)
	}
	return v.done(who.Path, "The passkey is added. From the next sign-in on it is asked for.")
}
