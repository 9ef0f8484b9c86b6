package console

import (
	"rollcall/internal/policy"
)

// This file shows the policies of a user, a group or a role on its page.

// policySections returns the sections of managed and inline policies.
func (c *Console) policySections(v *visit, h holder) []section {
	return []section{c.attachedPolicies(v, h), c.inlinePolicies(v, h)}
}

func (c *Console) attachedPolicies(v *visit, h holder) section {
	s := section{
		ID: "policies", Title: "Attached policies", Head: []string{"Policy", "Of", ""},
		Empty: "No policy is attached.",
	}
	if h.Kind == userHolder {
		s.Empty = "No policy is attached to the user itself. Those of its groups count too."
	}
	list, next, err := h.attached(v, v.queryPtr("attached"))
	if err != nil {
		return s.refuse(v, err)
	}
	for _, p := range list {
		arn := *p.PolicyArn
		s.Rows = append(s.Rows, row{
			Cells: []cell{{Text: *p.PolicyName, Link: c.linkTo(policyPath, "arn", arn)}, text(ownerOf(arn))},
			Buttons: []button{{
				Do: "detach", Label: "Detach", With: []pair{{"policy", arn}}, Denied: h.denied(h.detach(v, arn)),
			}},
		})
	}
	s.Pager = pagedBy(v, "attached", len(s.Rows), next)
	s.Forms = []form{{
		Title: "Attach a policy", Do: "attach", Submit: "Attach", Open: v.field("do") == "attach",
		Fields: []field{{
			Name: "policy", Label: "Name or ARN of the policy", Value: v.field("policy"), Complete: "off",
			Hint: "A name means AWS's policy of this name, or else the account's own.",
		}},
		Denied: h.denied(h.attach(v, "arn:aws:iam::aws:policy/ReadOnlyAccess")),
	}}
	s.Links = []entry{{Text: "Search policies", Path: link(policiesPath, "scope", "All")}}
	return s
}

// ownerOf says whether AWS or the account owns a managed policy.
func ownerOf(arn string) string {
	if isAWS(arn) {
		return "AWS"
	}
	return "the account"
}

func (c *Console) inlinePolicies(v *visit, h holder) section {
	s := section{
		ID: "inline", Title: "Inline policies", Head: []string{"Policy", ""},
		Empty: "No inline policy. What several need is better a managed policy, which can be attached to each.",
	}
	names, next, err := h.inline(v, v.queryPtr("inline"))
	if err != nil {
		return s.refuse(v, err)
	}
	for _, name := range names {
		s.Rows = append(s.Rows, row{
			Cells: []cell{{Text: name, Link: h.inlinePage(name)}},
			Buttons: []button{{
				Do: "delete-policy", Label: "Delete", With: []pair{{"policy", name}}, Danger: true, Name: name,
				What: "The document is lost.", Denied: h.denied(h.remove(v, name)),
			}},
		})
	}
	s.Pager = pagedBy(v, "inline", len(s.Rows), next)
	s.offer("Create an inline policy", link(inlinePath, "kind", h.Kind, "name", h.Name), h.denied(h.put(v, "new", "{}")))
	return s
}

// offer adds a link to a page that changes something. If the change is denied,
// the reason replaces the link.
func (s *section) offer(text, path, denied string) {
	if denied != "" {
		s.Buttons = append(s.Buttons, button{Label: text, Denied: denied})
		return
	}
	s.Links = append(s.Links, entry{Text: text, Path: path})
}

// changing returns the handler of a form that changes a holder and returns to
// its page. Errors are shown there.
func changing(text string, f func(v *visit, h holder) error) func(*visit) error {
	return func(v *visit) error {
		h, err := v.holder()
		if err != nil {
			return err
		}
		if err := f(v, h); err != nil {
			return v.again(err, v.page.get)
		}
		return v.done(h.page(), text)
	}
}

func (c *Console) policyPosts() posts {
	return posts{
		"attach": changing("The policy is attached.", func(v *visit, h holder) error {
			return h.attach(v, v.policyARN(v.field("policy"))).call()
		}),
		"detach": changing("The policy is detached.", func(v *visit, h holder) error {
			return h.detach(v, v.field("policy")).call()
		}),
		"delete-policy": changing("The policy is deleted.", func(v *visit, h holder) error {
			if err := v.typed(v.field("policy")); err != nil {
				return err
			}
			return h.remove(v, v.field("policy")).call()
		}),
	}
}

// dropPolicies removes all policies of a holder that is to be deleted. An action
// of its own removes each policy.
func (h holder) dropPolicies(v *visit) error {
	for {
		list, next, err := h.attached(v, nil)
		if err != nil {
			return err
		}
		for _, p := range list {
			if err := h.detach(v, *p.PolicyArn).call(); err != nil {
				return err
			}
		}
		if next == nil {
			break
		}
	}
	for {
		names, next, err := h.inline(v, nil)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := h.remove(v, name).call(); err != nil {
				return err
			}
		}
		if next == nil {
			return nil
		}
	}
}

const inlinePath = "/console/inline-policy"

// inlinePage returns the address of the page of an inline policy.
func (h holder) inlinePage(policy string) string {
	return link(inlinePath, "kind", h.Kind, "name", h.Name, "policy", policy)
}

// inlinePages returns the page of one inline policy. It shows and changes the
// policy. Without a name, it creates one.
func (c *Console) inlinePages() []page {
	return []page{{
		path: inlinePath, title: "Inline policy", get: c.inlinePolicy,
		post: posts{"save": c.saveInline, "check": c.inlinePolicy},
	}}
}

// startDocument is the initial text of a new document.
const startDocument = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "",
      "Resource": "*"
    }
  ]
}
`

// inlineView is the data of the page.
type inlineView struct {
	Owner    entry
	Document *documentView
	Findings []documentFinding
	Editor   editor
}

func (c *Console) inlinePolicy(v *visit) error {
	h, err := v.holder()
	if err != nil {
		return err
	}
	name := v.query("policy")
	s := inlineView{
		Owner:  entry{Text: h.Kind + " " + h.Name, Path: h.page()},
		Editor: editor{Do: "save", Submit: "Save the policy", Cancel: h.page(), Document: startDocument},
	}
	title := "Create an inline policy"
	if name == "" {
		s.Editor.Fields = []field{{
			Name: "policy", Label: "Policy name", Value: v.field("policy"), Max: 128, Complete: "off",
			Hint: "Letters, digits and the characters +=,.@_-",
		}}
	} else {
		title = name
		text, err := h.document(v, name)
		if err != nil {
			return err
		}
		text = inLines(text)
		s.Editor.Document = text
		s.Document = new(showDocument("The document", text).pageOf(v))
		s.Findings = findings(text, policy.Inline)
	}
	if h.Kind == roleHolder {
		h.Fixed = fixedRole(v, h.Name)
	}
	s.Editor.Denied = h.denied(h.put(v, or(name, "new"), "{}"))
	s.Editor = s.Editor.typedInto(v, policy.Inline)
	return v.showAs(title, s.html())
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func (c *Console) saveInline(v *visit) error {
	h, err := v.holder()
	if err != nil {
		return err
	}
	text, err := v.document()
	if err != nil {
		return v.again(err, c.inlinePolicy)
	}
	name := or(v.query("policy"), v.field("policy"))
	if v.query("policy") == "" && name != "" {
		// A new policy must not replace an existing one.
		if _, err := h.document(v, name); err == nil {
			return v.again(&problem{Status: 409, Text: "There is an inline policy of this name already."}, c.inlinePolicy)
		}
	}
	if err := h.put(v, name, text).call(); err != nil {
		return v.again(err, c.inlinePolicy)
	}
	return v.done(h.page(), "The inline policy "+name+" is saved.")
}
