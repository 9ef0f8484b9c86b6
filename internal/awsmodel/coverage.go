package awsmodel

import (
	"fmt"
	"strings"
)

// subjects groups actions of IAM by their subject: the first entry with a word
// in the action's name applies.
var subjects = []struct {
	title string
	words []string
}{
	{"Credential report", []string{"CredentialReport"}},
	{"Access keys", []string{"AccessKey"}},
	{"Console passwords", []string{"LoginProfile", "ChangePassword", "PasswordPolicy"}},
	{"MFA devices", []string{"MFADevice"}},
	{"Certificates and SSH keys", []string{"SigningCertificate", "ServerCertificate", "SSHPublicKey"}},
	{"Service-specific credentials", []string{"ServiceSpecificCredential"}},
	{"Identity providers", []string{"SAMLProvider", "OpenIDConnectProvider", "WebIdentityFederation"}},
	{"Delegation requests", []string{"Delegat", "HumanReadable"}},
	{"Organizations and root access", []string{"Organizations"}},
	{"Access reports and simulation", []string{"Simulate", "LastAccessed", "GrantingServiceAccess", "ContextKeys"}},
	{"Instance profiles", []string{"InstanceProfile"}},
	{"Groups", []string{"Group"}},
	{"Roles", []string{"Role"}},
	{"Users", []string{"User"}},
	{"Managed policies", []string{"Polic"}},
	{"Account", []string{"Account", "SecurityTokenServicePreferences"}},
	{"Sessions and identity", nil},       // all of STS
	{"Accounts of an organization", nil}, // all of Organizations
	{"Other", []string{""}},
}

// ActionsMarkdown returns docs/actions.md: every action of the model,
// grouped and counted, with those in served marked.
func ActionsMarkdown(served map[string]bool) string {
	var b strings.Builder
	b.WriteString("# Actions\n\nGenerated. Every action of the IAM and STS models, and those of Organizations by " +
		"which tools\nlist accounts; a check mark means that Rollcall serves it.\n")
	for _, service := range Services() {
		operations := Operations(service.Name)
		name := strings.ToUpper(service.Name)
		if name == "ORGANIZATIONS" {
			name = "Organizations"
		}
		fmt.Fprintf(&b, "\n## %s %s: %s\n", name, service.Version, share(operations, served))
		groups := map[string][]Operation{}
		for _, op := range operations {
			title := subject(op)
			groups[title] = append(groups[title], op)
		}
		for _, s := range subjects {
			group := groups[s.title]
			if len(group) == 0 {
				continue
			}
			fmt.Fprintf(&b, "\n### %s: %s\n\n| action | served |\n|---|---|\n", s.title, share(group, served))
			for _, op := range group {
				mark := ""
				if served[op.Name] {
					mark = "✓"
				}
				fmt.Fprintf(&b, "| %s | %s |\n", op.Name, mark)
			}
		}
	}
	return b.String()
}

func subject(op Operation) string {
	switch op.Service.Name {
	case "sts":
		return "Sessions and identity"
	case "organizations":
		return "Accounts of an organization"
	}
	for _, s := range subjects {
		for _, word := range s.words {
			if strings.Contains(op.Name, word) {
				return s.title
			}
		}
	}
	return ""
}

func share(operations []Operation, served map[string]bool) string {
	count := 0
	for _, op := range operations {
		if served[op.Name] {
			count++
		}
	}
	return fmt.Sprintf("%d of %d", count, len(operations))
}
