package console_test

import (
	"testing"
)

// TestAccessStory writes a policy with a mistake, corrects it, and gives it to a
// user through a group. Before and after, it asks what the user may do.
func TestAccessStory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", "")
	br := w.browse(t)
	br.signIn("", rootPassword)

	ask := func(want string) {
		t.Helper()
		br.open("/console/user?name=alice")
		br.click(`a.as-button[href^="/console/may"]`)
		br.fill("action", "iam:GenerateCredentialReport")
		br.click("form.ask button.main")
		br.says(want, "iam:GenerateCredentialReport")
		br.Accessible("access check")
	}
	ask("denied")
	br.says("No statement allows it.")

	br.open("/console/policies")
	br.click(`a[href="/console/policies/new"]`)
	br.fill("name", "Reporter")
	br.fill("description", "Makes reports")
	br.fill("document", "{\n\"Version\": \"2012-10-17\",\n\"Statement\": [{\n\"Effect\": \"Allow\"\n"+
		"\"Action\": \"iam:GenerateCredentialReport\",\n\"Resource\": \"*\"\n}]\n}")
	br.press("create")
	br.Expect("responded with a status of 400")
	br.says("Syntax errors in policy.", "Line 5, column 1")
	if at := eval[string](br, `document.querySelector("li.bad").value + ""`); at != "5" {
		t.Errorf("line %s is marked", at)
	}
	typed := eval[string](br, `["name", "description"].map(n => document.querySelector("[name=" + n + "]").value).join()`)
	if typed != "Reporter,Makes reports" {
		t.Errorf("of the fields is left %q", typed)
	}
	br.Accessible("policy with an error")
	br.Picture("policy-error-desktop")
	br.Window(390, 844)
	br.Scheme("dark")
	br.Accessible("policy with an error on a phone")
	br.Picture("policy-error-phone")
	br.Window(1280, 800)
	br.Scheme("light")
	eval[bool](br, `(() => { const t = document.querySelector("[name=document]");
		t.value = t.value.replace('"Allow"\n', '"Allow",\n'); return true })()`)
	br.press("check")
	br.says("The document can be read. It is not saved yet.")
	br.press("create")
	br.says("The policy is created. Nobody has it yet.", "Attached to nobody")

	br.open("/console/groups/new")
	br.fill("name", "Reporters")
	br.press("create")
	br.says("The group is created.")
	br.Click("#policies > .row summary")
	br.fill("policy", "Reporter")
	br.press("attach")
	br.says("The policy is attached.", "Reporter")
	br.Click("#members > .row summary")
	br.fill("user", "alice")
	br.press("add")
	br.says("The user is in the group now.", "alice")

	ask("allowed")
	br.says("A statement allows it, and none denies it.", "Reporter")
	br.Picture("access-check")
	if at := eval[string](br, `[...document.querySelectorAll("li.marked")].map(l => l.value).join()`); at != "3,4,5,6,7" {
		t.Errorf("the lines %s are marked", at)
	}
}
