package enrich

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/audit"
)

const virtual = "virtual"

// sshService is the service of an SSH key.
const sshService = "ssh"

// DeviceKind returns the kind of a device by its serial number. AWS gives ARNs
// to virtual devices, passkeys and security keys. A hardware device has the
// number that is printed on it.
func DeviceKind(serial string) string {
	parts := strings.SplitN(serial, ":", 6)
	switch {
	case !strings.HasPrefix(serial, "arn:") && serial != "":
		return "hardware"
	case len(parts) == 6 && strings.HasPrefix(parts[5], "mfa/"):
		return virtual
	case len(parts) == 6 && strings.HasPrefix(parts[5], "u2f/"):
		return "passkey"
	default:
		return "unknown"
	}
}

// rootDevice ends the serial number of the virtual device that AWS creates for
// root if it has no name.
const rootDevice = ":mfa/root-account-mfa-device"

// rootVirtualMFA says whether a virtual device belongs to root. A negative answer
// requires a complete list: every device has an owner, the devices of all users are
// known, and the list contains them.
func (r *reader) rootVirtualMFA(ctx context.Context) (audit.Known, error) {
	answer := audit.No
	listed := map[string]bool{}
	in := &iam.ListVirtualMFADevicesInput{AssignmentStatus: types.AssignmentStatusTypeAssigned}
	for p := iam.NewListVirtualMFADevicesPaginator(virtualDevicesCall(r.c.ListVirtualMFADevices), in); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return audit.Unknown, err
		}
		if err := whole(page.IsTruncated, page.Marker); err != nil {
			return audit.Unknown, err
		}
		for _, d := range page.VirtualMFADevices {
			serial, owner := aws.ToString(d.SerialNumber), ""
			if d.User != nil {
				owner = aws.ToString(d.User.Arn)
			}
			listed[serial] = true
			switch {
			case strings.HasSuffix(serial, rootDevice), strings.HasSuffix(owner, ":root"):
				return audit.Yes, nil
			case owner == "":
				answer = audit.Unknown
			}
		}
	}
	if r.lacking(MFA) > 0 {
		return audit.Unknown, nil
	}
	for _, u := range r.found.Users {
		for _, d := range u.MFA {
			if d.Kind == virtual && !listed[d.Serial] {
				answer = audit.Unknown
			}
		}
	}
	return answer, nil
}
