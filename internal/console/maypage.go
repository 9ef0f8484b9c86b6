package console

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/servicecatalog"
)

// The page "May NAME do ACTION?" shows the question and the answer of a
// simulation.

const mayPath = "/console/may"

func (c *Console) mayPages() []page {
	return []page{{path: mayPath, title: "May NAME do ACTION?", nav: "may", get: c.mayPage}}
}

// mayLink returns a link to the question about a holder.
func mayLink(h holder) entry {
	return entry{Text: "Access check", Path: link(mayPath, "kind", h.Kind, "name", h.Name)}
}

// mayView is the data of the page.
type mayView struct {
	Kind      choice
	Name      field
	Actions   []field
	Resources []field
	Context   []contextRow
	Known     []string // suggested actions
	Asked     bool
	Denied    string // why the person may not ask
	Failed    string // why there is no answer
	Verdicts  []verdict
	Truncated bool
}

// contextRow is a row for a context key.
type contextRow struct {
	Key, Value field
	Type       choice
}

// These limit one question. The page has room for the answers.
const (
	maxAskedActions   = 10
	maxAskedResources = 10
	maxAskedKeys      = 20
)

var holderKinds = []option{{Value: userHolder, Text: "user"}, {Value: groupHolder, Text: "group"},
	{Value: roleHolder, Text: "role"}}

var contextTypes = []option{{Value: "string", Text: "text"}, {Value: "stringList", Text: "list of texts"},
	{Value: "numeric", Text: "number"}, {Value: "boolean", Text: "true or false"}, {Value: "date", Text: "date"},
	{Value: "ip", Text: "IP address"}}

// question holds the parts of the question.
type question struct {
	who                holder
	actions, resources []string
	keys               []types.ContextEntry
}

func (v *visit) question() question {
	q := v.r.URL.Query()
	ask := question{
		who:     holder{Kind: or(v.query("kind"), userHolder), Name: strings.TrimSpace(v.query("name"))},
		actions: filled(q["action"], maxAskedActions), resources: filled(q["resource"], maxAskedResources),
	}
	for i, key := range q["key"] {
		if i >= maxAskedKeys || i >= len(q["type"]) || i >= len(q["value"]) || key == "" || q["value"][i] == "" {
			continue
		}
		values := []string{q["value"][i]}
		if strings.HasSuffix(q["type"][i], "List") {
			values = strings.Split(q["value"][i], ",")
		}
		ask.keys = append(ask.keys, types.ContextEntry{
			ContextKeyName: &key, ContextKeyType: types.ContextKeyTypeEnum(q["type"][i]), ContextKeyValues: values,
		})
	}
	return ask
}

// filled returns the values that are not empty.
func filled(list []string, most int) []string {
	var some []string
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" && len(some) < most {
			some = append(some, s)
		}
	}
	return some
}

func (c *Console) mayPage(v *visit) error {
	kind, ask := v.query("kind"), v.question()
	if kind != "" {
		if _, err := v.oneOf("kind", holderKinds); err != nil {
			return err
		}
	}
	s := mayView{
		Kind: chooseFrom("kind", "Who", ask.who.Kind, holderKinds),
		Name: field{Name: "name", Label: "Name", Value: ask.who.Name, Max: 128, Complete: "off", Focus: ask.who.Name == ""},
	}
	s.Actions = severalFields("action", "Action, such as iam:CreateUser", ask.actions, maxAskedActions)
	s.Resources = severalFields("resource", "ARN of a resource; none is all", ask.resources, maxAskedResources)
	s.Known = knownActions()
	arn := c.principalARN(v, ask.who)
	s.Denied = may(v, c.iam.SimulatePrincipalPolicy, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &arn, ActionNames: []string{"iam:GetUser"},
	})
	missing := []string{}
	if s.Asked = ask.who.Name != "" && len(ask.actions) > 0; s.Asked && s.Denied == "" {
		out, err := do(v, c.iam.SimulatePrincipalPolicy, &iam.SimulatePrincipalPolicyInput{
			PolicySourceArn: &arn, ActionNames: ask.actions, ResourceArns: ask.resources, ContextEntries: ask.keys,
		})
		if err != nil {
			p := v.explain(err)
			if p.Status >= 500 {
				return p
			}
			s.Failed, v.status = p.Text, p.Status
		} else {
			s.Verdicts, s.Truncated = c.verdicts(v, ask.who, out.EvaluationResults), out.IsTruncated
			for _, r := range out.EvaluationResults {
				missing = append(missing, r.MissingContextValues...)
			}
		}
	}
	s.Context = contextRows(ask.keys, missing)
	title := ""
	if s.Asked {
		title = "May " + ask.who.Name + " do " + ask.actions[0] + "?"
	}
	return v.showAs(title, s.html())
}

// principalARN returns the ARN of the user, group or role. If the person may not
// see it, it returns the name, by which simulations find it too.
func (c *Console) principalARN(v *visit, h holder) string {
	arn := api.IAMARN(v.session.Caller, h.Kind, "/"+or(h.Name, "example"))
	if h.Name == "" {
		return arn
	}
	one := int32(1)
	switch h.Kind {
	case userHolder:
		if out, err := do(v, c.iam.GetUser, &iam.GetUserInput{UserName: &h.Name}); err == nil {
			return *out.User.Arn
		}
	case groupHolder:
		if out, err := do(v, c.iam.GetGroup, &iam.GetGroupInput{GroupName: &h.Name, MaxItems: &one}); err == nil {
			return *out.Group.Arn
		}
	case roleHolder:
		if out, err := do(v, c.iam.GetRole, &iam.GetRoleInput{RoleName: &h.Name}); err == nil {
			return *out.Role.Arn
		}
	}
	return arn
}

// severalFields returns a field for each given value and one more.
func severalFields(name, label string, given []string, most int) []field {
	if len(given) < most {
		given = append(slices.Clone(given), "")
	}
	var all []field
	for i, value := range given {
		f := field{Name: name, Label: label, Value: value, Max: 2048, Hint: fmt.Sprintf("%s-%d", name, i)}
		if i > 0 {
			f.Label = "another " + name
		}
		all = append(all, f)
	}
	return all
}

// contextRows returns a row for each given key, for each missing key, and one
// more.
func contextRows(given []types.ContextEntry, missing []string) []contextRow {
	var all []contextRow
	add := func(key, kind, value string) {
		if len(all) < maxAskedKeys {
			n := fmt.Sprint(len(all))
			all = append(all, contextRow{
				Key:   field{Name: "key", Hint: "key-" + n, Value: key, Max: 256},
				Type:  chooseFrom("type", "Type", kind, contextTypes),
				Value: field{Name: "value", Hint: "value-" + n, Value: value, Max: 2048},
			})
		}
	}
	for _, e := range given {
		add(*e.ContextKeyName, string(e.ContextKeyType), strings.Join(e.ContextKeyValues, ","))
	}
	slices.Sort(missing)
	for _, key := range slices.Compact(missing) {
		add(key, typeOf(key), "")
	}
	add("", "string", "")
	return all
}

// typeOf returns the most likely type of a condition key.
func typeOf(key string) string {
	switch strings.ToLower(key) {
	case "aws:sourceip", "aws:vpcsourceip":
		return "ip"
	case "aws:multifactorauthpresent", "aws:securetransport", "aws:viaawsservice", "aws:principalisawsservice":
		return "boolean"
	case "aws:currenttime", "aws:tokenissuetime":
		return "date"
	case "aws:epochtime", "aws:multifactorauthage":
		return "numeric"
	case "aws:tagkeys":
		return "stringList"
	}
	return "string"
}

// knownActions returns the actions of the services that Rollcall serves, as
// suggestions.
func knownActions() []string {
	var all []string
	for _, namespace := range []string{"iam", "sts", "s3"} {
		if s, ok := servicecatalog.Find(namespace); ok {
			for a := range s.Actions() {
				all = append(all, namespace+":"+a.Name)
			}
		}
	}
	return all
}
