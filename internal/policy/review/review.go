// Package review finds odd things in a valid policy: actions that do not exist,
// and statements that allow more than their authors may think. Its findings are
// advice. They decide nothing, and no document is refused because of them.
package review

import (
	"slices"
	"strings"

	"rollcall/internal/policy"
	"rollcall/internal/servicecatalog"
)

// Finding is one remark about a document.
type Finding struct {
	// At is the position of the statement, or the beginning of the document.
	At   policy.Position
	Text string
}

// maxFindings limits the findings of a document. A page has no room for more.
const maxFindings = 50

// maxPairs limits the number of actions times the number of resources of a
// statement that are compared.
const maxPairs = 10_000

// Of returns the findings about a document in the order of its statements.
func Of(d *policy.Document) []Finding {
	var all []Finding
	if d.Version != policy.NewVersion && strings.Contains(d.String(), "${") {
		all = append(all, Finding{
			At:   policy.Position{Line: 1, Column: 1},
			Text: "Without \"Version\": \"" + policy.NewVersion + "\" variables such as ${aws:username} are plain text.",
		})
	}
	for i := range d.Statements {
		st := &d.Statements[i]
		for _, text := range ofStatement(d.Kind, st) {
			if len(all) == maxFindings {
				return all
			}
			all = append(all, Finding{At: st.Start, Text: text})
		}
	}
	return all
}

func ofStatement(kind policy.Kind, st *policy.Statement) []string {
	var all []string
	for _, name := range slices.Concat(st.Actions, st.NotActions) {
		if text := unknown(name); text != "" {
			all = append(all, text)
		}
	}
	if st.Effect != policy.Allow {
		return all
	}
	if kind == policy.Trust {
		return append(all, ofTrust(st)...)
	}
	if text := wide(st); text != "" {
		all = append(all, text)
	}
	if len(st.Actions)*len(st.Resources) > maxPairs {
		return all
	}
	for _, name := range st.Actions {
		if text := misplaced(name, st.Resources); text != "" {
			all = append(all, text)
		}
	}
	return all
}

// ofTrust checks who may assume a role.
func ofTrust(st *policy.Statement) []string {
	if st.TrustsEveryone() && !st.Conditional() {
		return []string{"Anybody with an AWS account may assume the role. Add a condition, or name the principals that may."}
	}
	return nil
}

// unknown returns a remark if no action has a name, or matches a pattern.
func unknown(name string) string {
	namespace, action, _ := strings.Cut(name, ":")
	if namespace == "*" || strings.ContainsAny(namespace, "*?") {
		return ""
	}
	s, ok := servicecatalog.Find(strings.ToLower(namespace))
	if !ok {
		return "No service is known by the name " + namespace + "."
	}
	if !s.HasActions() {
		return ""
	}
	if !strings.ContainsAny(action, "*?") {
		if _, ok := servicecatalog.FindAction(name); !ok {
			return "No action " + name + " is known."
		}
		return ""
	}
	matches := policy.ActionPattern(name)
	for a := range s.Actions() {
		if matches(s.Namespace + ":" + a.Name) {
			return ""
		}
	}
	return "No action is known that " + name + " matches."
}

// wide returns a remark if a statement allows more than it seems to.
func wide(st *policy.Statement) string {
	everywhere := slices.Contains(st.Resources, "*")
	switch {
	case len(st.NotActions) > 0:
		return "The statement allows every action but those named by NotAction, also those of services to come."
	case len(st.NotResources) > 0:
		return "The statement allows its actions on everything but what NotResource names."
	case !everywhere || st.Conditional():
		return ""
	case slices.Contains(st.Actions, "*") || slices.Contains(st.Actions, "*:*"):
		return "The statement allows every action on everything."
	}
	for _, name := range st.Actions {
		if policy.ActionPattern(name)("iam:PassRole") {
			return name + " on \"*\" lets every role of the account be passed to every service. Name the roles."
		}
	}
	return ""
}

// misplaced returns a remark if an action applies to none of the resources of
// its statement, so that it is not allowed.
func misplaced(name string, resources []string) string {
	a, ok := servicecatalog.FindAction(name)
	if !ok || len(resources) == 0 || slices.ContainsFunc(resources, func(arn string) bool {
		return strings.Contains(arn, "${") || a.FitsForm(arn)
	}) {
		return ""
	}
	if len(a.ARNs) == 0 {
		return name + " is about no single resource: it is only allowed on \"*\"."
	}
	return "No resource of the statement is one that " + name + " is about."
}
