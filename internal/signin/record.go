package signin

import (
	"encoding/json"

	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/trail"
)

// Names of events and texts of failures in CloudTrail.
const (
	consoleLogin    = "ConsoleLogin"
	checkMFA        = "CheckMfa"
	passwordUpdated = "PasswordUpdated"
	switchRole      = "SwitchRole"
	exitRole        = "ExitRole"
	getSigninToken  = "GetSigninToken"

	textFailed = "Failed authentication"
	textNoUser = "No username found in supplied account"
)

// outcome returns the element of an answer that contains the result of an
// event.
func outcome(event string, failed bool) json.RawMessage {
	how := "Success"
	if failed {
		how = "Failure"
	}
	return jsonOf(map[string]string{event: how})
}

func jsonOf(members map[string]string) json.RawMessage {
	text, err := json.Marshal(members)
	if err != nil {
		panic(err) // it only contains texts
	}
	return text
}

// event returns the record of a person's step.
func event(name string, who trail.Identity, account string, failed error, data map[string]string) trail.Record {
	rec := trail.Record{
		EventName: name, UserIdentity: who, RecipientAccountID: account, ResponseElements: outcome(name, failed != nil),
	}
	if len(data) > 0 {
		rec.AdditionalEventData = jsonOf(data)
	}
	if failed != nil {
		rec.ErrorMessage = textFailed
	}
	return rec
}

// identityOf returns a person for a record. The ARN is present for signed-in
// persons and for root. The access key is present, and empty, for persons who are
// not signed in and for root.
func identityOf(p *identity.Person, in bool) trail.Identity {
	id := trail.Identity{
		Type: trail.IAMUser, PrincipalID: p.User.ID, AccountID: p.User.Account, UserName: p.User.Name, NoKey: !in,
	}
	switch {
	case p.IsRoot():
		id.Type, id.UserName, id.NoKey = trail.Root, "", true
		id.ARN = principal.RootARN(p.Partition, p.User.Account)
	case in:
		id.ARN = principal.UserARN(p.Partition, p.User.Account, p.User.Path, p.User.Name)
	}
	return id
}

// login returns the additional data of a ConsoleLogin.
func login(v Visit, serial string) map[string]string {
	data := map[string]string{"LoginTo": v.To, "MobileVersion": "No", "MFAUsed": "No"}
	if serial != "" {
		data["MFAUsed"], data["MFAIdentifier"] = "Yes", serial
	}
	return data
}

// loginEvent returns a function that creates the record of a person's
// ConsoleLogin, by its error. serial is the device that was used, "" for none.
func loginEvent(v Visit, p *identity.Person, serial string) func(error) trail.Record {
	return func(failed error) trail.Record {
		return event(consoleLogin, identityOf(p, failed == nil), p.User.Account, failed, login(v, serial))
	}
}

// strangerEvent returns the record of a caller who did not know the password. p
// is nil if there is no such user. Then the typed name is omitted, because it
// may be a password. The account is only named if it exists.
func strangerEvent(v Visit, p *identity.Person, account string, root bool) trail.Record {
	var rec trail.Record
	if p != nil {
		rec = loginEvent(v, p, "")(ErrWrong)
	} else {
		id := trail.Identity{Type: trail.IAMUser, AccountID: account, NoKey: true, UserName: trail.Hidden}
		if root {
			id.Type, id.UserName = trail.Root, ""
		}
		rec = event(consoleLogin, id, account, ErrWrong, login(v, ""))
		rec.ErrorMessage = textNoUser
	}
	rec.Stranger = true
	return rec
}

// mfaType returns the type of a person's devices in a CheckMfa event.
func mfaType(devices []identity.MFADevice) string {
	switch {
	case len(devices) > 1:
		return "Multiple MFA Devices"
	case devices[0].Passkey:
		return "U2F MFA"
	}
	return "Virtual MFA"
}
