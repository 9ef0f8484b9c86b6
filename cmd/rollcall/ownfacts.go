package main

import (
	"context"

	"rollcall/internal/audit"
	"rollcall/internal/enrich"
	"rollcall/internal/identity"
	"rollcall/internal/store"
)

// storedFacts are the facts of the store that belong to a kind of --enrich.
var storedFacts = map[enrich.Kind][]store.FactKind{
	enrich.Keys: {store.KeyFacts}, enrich.MFA: {store.DeviceFacts}, enrich.Tags: {store.TagFacts},
	enrich.ServiceCredentials: {store.SSHKeyFacts, store.ServiceCredentialFacts},
}

// enrich adds facts about the users of an account out of the store. They are those
// that package enrich reads by the API. If they cannot be read in time, they are
// missing.
func (u *ownRun) enrich(ctx context.Context, account string, kinds []enrich.Kind, to *audit.Enrichment) {
	var wanted []store.FactKind
	for _, k := range kinds {
		wanted = append(wanted, storedFacts[k]...)
	}
	if len(wanted) == 0 {
		return
	}
	to.Users = map[string]audit.UserFacts{}
	err := u.service.IAM.EachUserFacts(ctx, account, wanted, func(of identity.UserFacts) error {
		facts := audit.UserFacts{Created: of.User.Created, UserID: of.User.ID}
		for _, k := range kinds {
			addFacts(&facts, k, of.Facts)
		}
		to.Users[of.User.Name] = facts
		return nil
	})
	for _, k := range kinds {
		if k != enrich.MFA || err != nil {
			continue
		}
		var virtual bool
		virtual, err = u.service.IAM.RootHasVirtualMFA(ctx, account)
		if to.RootVirtualMFA = audit.No; virtual {
			to.RootVirtualMFA = audit.Yes
		}
	}
	if err != nil {
		to.RootVirtualMFA = audit.Unknown
		enrich.Lose(to, kinds, err.Error())
	}
}

// addFacts adds facts of a kind about a user. A list without facts is empty and not
// nil, because they are known.
func addFacts(to *audit.UserFacts, kind enrich.Kind, from map[store.FactKind][]store.UserFact) {
	switch kind {
	case enrich.Keys:
		to.Keys = []audit.KeyFact{}
		for _, f := range from[store.KeyFacts] {
			to.Keys = append(to.Keys, audit.KeyFact{ID: f.ID, Created: f.Created, Active: identity.Active(f)})
		}
	case enrich.MFA:
		to.MFA = []audit.MFAFact{}
		for _, f := range from[store.DeviceFacts] {
			to.MFA = append(to.MFA, audit.MFAFact{Serial: f.ID, Kind: enrich.DeviceKind(f.ID)})
		}
	case enrich.Tags:
		to.Tags = map[string]string{}
		for _, f := range from[store.TagFacts] {
			to.Tags[f.ID] = f.Value
		}
	case enrich.ServiceCredentials:
		to.ServiceCredentials = []audit.ServiceCredentialFact{}
		for _, k := range storedFacts[kind] {
			for _, f := range from[k] {
				to.ServiceCredentials = append(to.ServiceCredentials, audit.ServiceCredentialFact{
					ID: f.ID, Service: f.Value, Created: f.Created, Active: identity.Active(f)})
			}
		}
	}
}
