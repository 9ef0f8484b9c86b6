package oauth

import (
	"encoding/json"
	"errors"
	"strconv"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/principal"
	"rollcall/internal/trail"
)

type record = trail.Record

// authorized returns the record of AuthorizeOAuth2Access, without the state and
// the challenge.
func authorized(who principal.Caller, r *Request, failed error) record {
	return call("AuthorizeOAuth2Access", who, map[string]string{
		"scope": "openid", "redirect_uri": r.Redirect, "code_challenge_method": "SHA-256", "client_id": r.Client,
	}, failed)
}

// created returns the record of CreateOAuth2Token.
func created(who principal.Caller, client string, failed error) record {
	return call("CreateOAuth2Token", who, map[string]string{"client_id": client}, failed)
}

// call returns a record of these two calls in CloudTrail's form. A person who
// signed in has no access key.
func call(name string, who principal.Caller, params map[string]string, failed error) record {
	id := api.Identity(who)
	id.AccessKeyID = ""
	rec := record{
		EventName: name, EventType: trail.APICall, UserIdentity: id, RecipientAccountID: who.Account(), ReadOnly: true,
		RequestParameters: jsonOf(params),
		AdditionalEventData: jsonOf(map[string]string{
			"success": strconv.FormatBool(failed == nil), "x-amzn-vpce-id": "",
		}),
	}
	var known *awsmodel.Error
	var f *Failure
	switch {
	case errors.As(failed, &f):
		rec.ErrorCode, rec.ErrorMessage = f.Type, f.Code+": "+f.Message
	case errors.As(failed, &known):
		rec.ErrorCode, rec.ErrorMessage = awsmodel.Exception(known.Code), known.Message
	case failed != nil:
		rec.ErrorCode = "InternalServerException"
	}
	return rec
}

func jsonOf(members map[string]string) json.RawMessage {
	text, err := json.Marshal(members)
	if err != nil {
		panic(err) // it only contains texts
	}
	return text
}
