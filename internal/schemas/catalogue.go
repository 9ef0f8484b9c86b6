package main

import "rollcall/report"

// published is a schema of docs/schemas.
type published struct {
	file, title string
	pkg, name   string // the type; "" if make makes the schema
	list        bool   // a list of the type
	yaml        bool   // a configuration file
	make        func(*generator) (object, error)
}

const (
	command   = module + "/cmd/rollcall"
	auditing  = module + "/internal/audit"
	rendering = module + "/internal/render"
	showing   = auditing + "/diff/show"
	planning  = auditing + "/plan"
	reviewing = module + "/internal/review"
	trailing  = module + "/internal/trail"
	keeping   = module + "/internal/history"
	enriching = module + "/internal/enrich"
)

// catalogue lists the schemas that are made of types. Those of the files of a review
// are written by hand.
var catalogue = []published{
	{file: "audit", title: "'rollcall audit --output json'", pkg: rendering, name: "document"},
	{file: "audit-finding", title: "A line of 'rollcall audit --output jsonl'", pkg: rendering, name: "findingJSON"},
	{file: "controls", title: "'rollcall controls --output json'", pkg: command, name: "controlJSON", list: true},
	{file: "diff", title: "'rollcall diff --output json'", make: diffDocument},
	{file: "diff-change", title: "A line of 'rollcall diff --output jsonl'", make: diffChange},
	{file: "doctor", title: "'rollcall doctor --output json'", pkg: module + "/internal/doctor", name: "Finding",
		list: true},
	{file: "plan", title: "'rollcall plan --output json', and that of 'rollcall review plan'", pkg: planning,
		name: "planJSON"},
	{file: "report-row", title: "A line of 'rollcall report --output jsonl'", make: reportRow},
	{file: "report-rows", title: "'rollcall report --output json'", make: reportRows},
	{file: "report-outcomes", title: "'rollcall report --output json' into a folder", pkg: keeping, name: "Outcome",
		list: true},
	{file: "report-outcome", title: "outcome.json of a folder, and a line of 'rollcall report --output jsonl' into one",
		pkg: keeping, name: "Outcome"},
	{file: "report-origin", title: "TIME.json of a folder: where a report came from", pkg: keeping, name: "Meta"},
	{file: "report-facts", title: "TIME.facts.json of a folder: the facts of --enrich", pkg: enriching, name: "Saved"},
	{file: "report-request", title: "'rollcall report request --output json'", pkg: command, name: "requested"},
	{file: "report-get", title: "'rollcall report get --output json'", make: reportGet},
	{file: "review-status", title: "'rollcall review status --output json'", pkg: reviewing, name: "Status"},
	{file: "review-check", title: "'rollcall review check --output json'", pkg: reviewing, name: "Checked"},
	{file: "review-comparison", title: "'rollcall review compare --output json'", pkg: reviewing, name: "Comparison"},
	{file: "trail-record", title: "A line of the trail", make: trailRecord},
	{file: "trail-query", title: "'rollcall trail query --output json'", make: trailQuery},
	{file: "trail-verify", title: "'rollcall trail verify --output json'", pkg: trailing, name: "VerifyReport"},
	{file: "version", title: "'rollcall version --output json'", pkg: command, name: "origin"},
	{file: "account-create", title: "'rollcall account create --output json'", pkg: command, name: "newAccount"},
	{file: "account-list", title: "'rollcall account list --output json'", pkg: command, name: "listedAccount",
		list: true},
	{file: "account-limits", title: "'rollcall account limits --output json'", make: accountLimits},
	{file: "account-reports", title: "'rollcall account reports --output json'", pkg: command, name: "storedReport",
		list: true},
	{file: "account-control-policies", title: "'rollcall account control-policy list --output json'", pkg: command,
		name: "listedPolicy", list: true},
	{file: "account-organization", title: "'rollcall account organization show --output json'", pkg: command,
		name: "shownOrganization"},
	{file: "account-root-key", title: "'rollcall account root-key create --output json'", pkg: command,
		name: "newRootKey"},
	{file: "account-root-keys", title: "'rollcall account root-key list --output json'", pkg: command,
		name: "listedRootKey", list: true},
	{file: "config", title: "The file of --config: an audit configuration", pkg: auditing, name: "configFile", yaml: true},
	{file: "exceptions", title: "The file of --exceptions", pkg: auditing, name: "exceptionsFile", yaml: true},
	{file: "owners", title: "The file of 'rollcall review start --owners', as YAML", pkg: reviewing, name: "ownersFile",
		yaml: true},
}

func diffChange(g *generator) (object, error) {
	var all []any
	for _, name := range []string{"eventJSON", "findingJSON", "accountJSON"} {
		s, err := g.named(showing, name)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return object{"oneOf": all}, nil
}

// diffDocument makes the schema of a document that is written piece by piece.
func diffDocument(g *generator) (object, error) {
	event, err := g.named(showing, "eventJSON")
	if err != nil {
		return nil, err
	}
	finding, err := g.named(showing, "findingJSON")
	if err != nil {
		return nil, err
	}
	account, err := g.source.find(showing, "accountJSON")
	if err != nil {
		return nil, err
	}
	of, err := g.inline(account)
	if err != nil {
		return nil, err
	}
	delete(of["properties"].(object), "type")
	of["properties"].(object)["changes"] = object{"type": "array",
		"items": object{"oneOf": []any{event, finding}}}
	end, err := g.source.find(showing, "endJSON")
	if err != nil {
		return nil, err
	}
	out, err := g.inline(end)
	if err != nil {
		return nil, err
	}
	properties := out["properties"].(object)
	properties["version"] = object{"const": 1}
	properties["accounts"] = object{"type": "array", "items": of}
	out["required"] = []any{"accounts", "complete", "counts", "version"}
	return out, nil
}

func reportRow(*generator) (object, error) {
	properties := object{}
	for _, c := range report.KnownColumns() {
		properties[c.Name] = object{"type": "string"}
		if c.Kind == report.BoolKind {
			properties[c.Name] = object{"type": []any{"boolean", "string"},
				"description": "true or false, or the text of another cell, such as not_supported"}
		}
	}
	return object{"type": "object", "properties": properties, "required": []any{"arn", "user"},
		"additionalProperties": object{"type": "string", "description": "a column that Rollcall does not know"}}, nil
}

func reportRows(g *generator) (object, error) {
	row, err := reportRow(g)
	return object{"type": "array", "items": row}, err
}

func reportGet(*generator) (object, error) {
	return closed(object{
		"Content":       object{"type": "string", "contentEncoding": "base64"},
		"ReportFormat":  object{"type": "string"},
		"GeneratedTime": object{"type": "string", "format": "date-time"},
	}, "Content", "GeneratedTime", "ReportFormat"), nil
}

func accountLimits(*generator) (object, error) {
	return object{"type": "object", "additionalProperties": object{"type": "integer"},
		"description": "the quotas that differ from IAM's, by their names"}, nil
}

// closed returns the schema of an object without other members.
func closed(properties object, required ...string) object {
	return object{"type": "object", "properties": properties, "required": anys(required), "additionalProperties": false}
}

func trailQuery(g *generator) (object, error) {
	record, err := trailRecord(g)
	return closed(object{"Records": object{"type": "array", "items": record}}, "Records"), err
}

// trailRecord creates the schema of a record, which is written without a structure.
// Its form is that of CloudTrail, with a member that links it to the previous record.
func trailRecord(g *generator) (object, error) {
	link, err := g.named(trailing, "Link")
	if err != nil {
		return nil, err
	}
	text, truth := object{"type": "string"}, object{"type": "boolean"}
	moment := object{"type": "string", "format": "date-time"}
	anything := object{"description": "an object, or null"}
	issuer := closed(object{"type": text, "principalId": text, "arn": text, "accountId": text, "userName": text},
		"accountId", "arn", "principalId", "type", "userName")
	attributes := closed(object{"creationDate": moment, "mfaAuthenticated": object{"enum": []any{"true", "false"}}},
		"creationDate", "mfaAuthenticated")
	session := closed(object{"sessionIssuer": issuer, "attributes": attributes, "sourceIdentity": text}, "attributes")
	identity := closed(object{"type": text, "principalId": text, "arn": text, "accountId": text, "accessKeyId": text,
		"userName": text, "sessionContext": session, "invokedBy": text, "identityProvider": text}, "type")
	resource := closed(object{"ARN": text, "accountId": text, "type": text}, "ARN")
	tls := closed(object{"tlsVersion": text, "cipherSuite": text, "clientProvidedHostHeader": text},
		"cipherSuite", "clientProvidedHostHeader", "tlsVersion")
	return closed(object{
		"eventVersion": text, "userIdentity": identity, "eventTime": moment, "eventSource": text, "eventName": text,
		"awsRegion": text, "sourceIPAddress": text, "userAgent": text, "errorCode": text, "errorMessage": text,
		"requestParameters": anything, "responseElements": anything, "additionalEventData": anything, "requestID": text,
		"eventID": text, "readOnly": truth, "resources": object{"type": "array", "items": resource}, "eventType": text,
		"managementEvent": truth, "recipientAccountId": text, "eventCategory": text, "tlsDetails": tls,
		"sessionCredentialFromConsole": text, "rollcall": link,
	}, "awsRegion", "eventCategory", "eventID", "eventName", "eventSource", "eventTime", "eventType", "eventVersion",
		"managementEvent", "readOnly", "recipientAccountId", "requestParameters", "responseElements", "sourceIPAddress",
		"userAgent", "userIdentity"), nil
}
