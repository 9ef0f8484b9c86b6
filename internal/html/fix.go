package html

import "rollcall/internal/audit"

// fix names the command that the page offers for a finding. The page's script
// has the commands themselves, because they name the user and the key.
type fix string

const (
	deactivateKey         fix = "deactivate-key"
	deleteKey             fix = "delete-key"
	deletePassword        fix = "delete-password"
	resetPassword         fix = "reset-password"
	deactivateCertificate fix = "deactivate-certificate"
	deleteUser            fix = "delete-user"
)

// fixes holds the controls for which one command of the AWS CLI does what the
// control asks for. Controls of root are not among them, because root needs a
// person.
var fixes = map[audit.ControlID]fix{
	audit.ConsoleMFA:         deletePassword,
	audit.PasswordUnused:     deletePassword,
	audit.KeyUnused:          deactivateKey,
	audit.KeyAge:             deactivateKey,
	audit.OneActiveKey:       deactivateKey,
	audit.KeyAtSetup:         deactivateKey,
	audit.PasswordAge:        resetPassword,
	audit.SigningCertificate: deactivateCertificate,
	audit.LeftoverUser:       deleteUser,
	audit.LeftoverKey:        deleteKey,
}
