package timeline

import (
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/lazyregexp"
	"rollcall/internal/words"
)

// sentences has a sentence for each kind of event. {was}, {is}, {at} and
// {created} are the state in the earlier report and in the later one, the time of
// the event, and the time at which its credential was created.
var sentences = map[audit.EventKind]string{
	audit.RootKeyAdded:           "Root has a new access key, created at {at}. It is {is}.",
	audit.RootUseSeen:            "Root was used at {is}. The use before that was at {was}.",
	audit.MFALost:                "MFA was on and is off.",
	audit.PasswordAddedMachine:   "A machine got a console password, set at {at}.",
	audit.KeyReactivated:         "The access key of {created} was inactive and is active again.",
	audit.KeyAdded:               "A new access key was created at {at}. It is {is}.",
	audit.UserReplaced:           "The user was deleted and created again at {is}. The old one was of {was}.",
	audit.KeyUsedAfterLong:       "The access key of {created} was used at {is}, for the first time since {was}.",
	audit.PasswordUsedAfterLong:  "The password was used at {is}, for the first time since {was}.",
	audit.LastUsedRegion:         "The access key of {created} was last used in {is}, and before that in {was}.",
	audit.CertificateAdded:       "A new signing certificate was uploaded at {at}. It is {is}.",
	audit.CertificateReactivated: "The signing certificate of {created} was inactive and is active again.",
	audit.LastUsedService:        "The access key of {created} was last used with {is}, and before that with {was}.",
	audit.KeyFirstUsed:           "The access key of {created} was used for the first time, at {at}, with {is}.",
	audit.KeyRotated:             "The access key was replaced by one created at {at}. The old one was of {was}.",
	audit.PasswordFirstUsed:      "The password was used for the first time, at {is}.",
	audit.PasswordAdded:          "The user got a console password, set at {at}.",
	audit.UserRenamed:            "The user was called {was} and is called {is} now.",
	audit.UserPathChanged:        "The path of the user was {was} and is {is} now.",
	audit.UserAdded:              "The user was created at {at}, with {is}.",
	audit.UserGone:               "The user, who had {was}, was deleted.",
	audit.KeyDeactivated:         "The access key of {created} was deactivated.",
	audit.KeyRemoved:             "The access key of {created} was deleted. It was {was}.",
	audit.PasswordChanged:        "The password was changed at {is}. The change before that was at {was}.",
	audit.PasswordUsed:           "The password was used at {is}. The use before that was at {was}.",
	audit.PasswordRemoved:        "The console password was removed.",
	audit.MFARemoved:             "MFA was on and is off. The user has no password.",
	audit.MFAGained:              "MFA was off and is on.",
	audit.CertificateDeactivated: "The signing certificate of {created} was deactivated.",
	audit.CertificateRemoved:     "The signing certificate of {created} was deleted. It was {was}.",
}

// sentence describes an event.
func sentence(e *diff.Event) string {
	was, is := e.Was, e.Is
	if e.Kind == audit.KeyRotated {
		was = strings.TrimPrefix(was, "key:")
	}
	unknown := "an unknown time"
	if e.Kind == audit.LastUsedRegion || e.Kind == audit.LastUsedService {
		unknown = "an unknown one"
	}
	text := strings.NewReplacer(
		"{was}", state(was, unknown), "{is}", state(is, unknown),
		"{at}", state(words.ReportTime(e.At), unknown),
		"{created}", state(words.ReportTime(e.Credential.Created), unknown),
	).Replace(sentences[e.Kind])
	return strings.TrimSpace(text + " " + e.Note)
}

var timestamp = lazyregexp.New(`\b([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}):[0-9]{2}Z`)

// state returns a state that a report shows, in words.
func state(text, unknown string) string {
	switch text {
	case "", "N/A", "no_information", "not_supported":
		return unknown
	}
	text = strings.Replace(text, ", used ", " and was last used ", 1)
	text = strings.Replace(text, ", never used", " and was never used", 1)
	return timestamp.ReplaceAllString(text, "$1 $2 UTC")
}
