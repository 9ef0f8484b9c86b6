package console

import (
	"encoding/json"
	"errors"
	"strings"

	"rollcall/internal/trail"
	"rollcall/internal/words"
)

// callsShown is the number of recent calls on a page.
const callsShown = 20

// recentCalls returns the section of a user's last calls in the trail, by its
// unique id. Policies decide about cloudtrail:LookupEvents, which shows the
// same on AWS.
func (c *Console) recentCalls(v *visit, who subject, id string) section {
	s := section{
		ID: "calls", Title: "Recent calls",
		Head:  []string{"Time", "Action", "Result", "Address", "Access key", "User agent"},
		Empty: "The trail has no call of this user.",
	}
	asked, err := json.Marshal(map[string]any{"lookupAttributes": []any{
		map[string]string{"attributeKey": "Username", "attributeValue": who.Name},
	}})
	if err == nil {
		err = v.api.Consult(v.r.Context(), v.session.Caller, "cloudtrail", "LookupEvents", asked, v.call)
	}
	if err != nil {
		return s.refuse(v, err)
	}
	found, err := c.trail.Lookup(v.r.Context(), trail.Query{
		Account: v.account(), PrincipalID: id, Most: callsShown, NoPageReads: true,
	})
	switch {
	case errors.Is(err, trail.ErrUnreadable):
		s.Empty = "No calls can be shown: this service has no trail that it can read. It reads a file (--trail FILE)."
		return s
	case err != nil:
		s.Empty = "Others are reading the trail at the moment. Load the page again to see the calls."
		return s
	}
	for i := range found.Events {
		s.Rows = append(s.Rows, v.callRow(&found.Events[i]))
	}
	s.Notes = []string{"What pages of the console only read is left out." + lookedBack(&found)}
	return s
}

// lookedBack says how far back the trail was read, if there may be more.
func lookedBack(f *trail.Found) string {
	switch {
	case len(f.Events) == callsShown || f.Since.IsZero():
		return ""
	case f.All:
		return " The trail begins at " + words.Time(f.Since) + "."
	}
	return " The trail was read back to " + words.Time(f.Since) + "; it has older records."
}

func (v *visit) callRow(e *trail.Event) row {
	result := cell{Text: "succeeded", State: "pass"}
	if e.ErrorCode != "" {
		result = cell{Text: e.ErrorCode, State: "fail"}
	} else if e.ErrorMessage != "" { // the event is a sign-in
		result = cell{Text: e.ErrorMessage, State: "fail"}
	}
	return row{Cells: []cell{
		dated(v.when(&e.EventTime, "")), text(strings.TrimSuffix(e.EventSource, ".amazonaws.com") + ":" + e.EventName),
		result, text(e.SourceIPAddress), code(e.UserIdentity.AccessKeyID), text(agent(e.UserAgent)),
	}}
}
