package api

import (
	"rollcall/internal/principal"
	"rollcall/internal/trail"
)

// identity returns the caller in the trail's form.
func identity(c principal.Caller) trail.Identity {
	id := trail.Identity{
		Type: trail.IAMUser, PrincipalID: c.UserID(), ARN: c.ARN(), AccountID: c.Account(),
		AccessKeyID: c.AccessKeyID(), UserName: c.UserName(),
	}
	session := c.Session()
	if session != nil {
		id.SessionContext = &trail.SessionContext{
			CreationDate: session.Issued, MFAAuthenticated: !session.MFA.IsZero(),
			SourceIdentity: session.SourceIdentity,
		}
	}
	switch c.Kind() {
	case principal.Root:
		id.Type = trail.Root
	case principal.AssumedRole:
		id.Type = trail.AssumedRole
		r := session.Role
		id.SessionContext.Issuer = &trail.SessionIssuer{
			Type: "Role", PrincipalID: r.ID, AccountID: c.Account(), UserName: r.Name,
			ARN: principal.RoleARN(c.Partition(), c.Account(), r.Path, r.Name),
		}
	case principal.FederatedUser:
		id.Type = trail.FederatedUser
		u := c.User()
		id.SessionContext.Issuer = &trail.SessionIssuer{
			Type: "IAMUser", PrincipalID: u.ID, AccountID: c.Account(), UserName: u.Name,
			ARN: principal.UserARN(c.Partition(), c.Account(), u.Path, u.Name),
		}
	}
	return id
}
