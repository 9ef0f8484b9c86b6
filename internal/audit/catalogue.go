package audit

import (
	"slices"
	"strings"
)

// rules contains all controls, in order.
var rules = []*rule{
	&ruleRootActiveKey, &ruleRootAnyKey, &ruleRootMFA, &ruleRootHardwareMFA, &ruleRootUsed,
	&ruleConsoleMFA, &ruleUserMFA, &rulePasswordUnused, &ruleKeyUnused, &ruleKeyAge, &ruleOneActiveKey,
	&ruleKeyAtSetup, &rulePasswordAge, &ruleSigningCertificate, &ruleHumanAndMachine, &ruleLeftoverUser,
	&ruleLeftoverKey, &ruleMoreCredentials, &ruleCentralRoot, &ruleEvidence, &ruleCredentialEvents,
}

// Controls returns every control, in order. The controls are shared. Callers
// must not change them.
func Controls() []*Control {
	all := make([]*Control, len(rules))
	for i, r := range rules {
		all[i] = &r.control
	}
	return all
}

// FindControl returns a control by its id or name, in any letter case.
func FindControl(idOrName string) (*Control, bool) {
	for _, r := range rules {
		if r.control.Named(idOrName) {
			return &r.control, true
		}
	}
	return nil, false
}

// Named reports whether the control has an id or a name, in any letter case.
func (c *Control) Named(idOrName string) bool {
	return strings.EqualFold(string(c.ID), idOrName) || strings.EqualFold(c.Name, idOrName)
}

func findRule(id ControlID) *rule {
	for _, r := range rules {
		if r.control.ID == id {
			return r
		}
	}
	return nil
}

// Common sources of rules.
const (
	sourceCIS         = "CIS Amazon Web Services Foundations Benchmark"
	sourceSecurityHub = "AWS Security Hub user guide: controls for IAM"
	sourceGuide       = "AWS IAM guide: Generate credential reports for your AWS account"
)

// requirements joins the results of the functions below.
func requirements(lists ...[]Requirement) []Requirement { return slices.Concat(lists...) }

// of returns the requirements of a standard for the control.
func of(standard Standard, ids ...string) []Requirement {
	list := make([]Requirement, len(ids))
	for i, id := range ids {
		list[i] = Requirement{Standard: standard, ID: id}
	}
	return list
}

// suggested returns requirements that the standard does not assign to the
// control.
func suggested(standard Standard, ids ...string) []Requirement {
	return suggestedEach(of(standard, ids...))
}

func suggestedEach(list []Requirement) []Requirement {
	for i := range list {
		list[i].Suggested = true
	}
	return list
}

// cis returns the items of the CIS benchmark: the ones in 1.2, in 1.4 to 4.0.1,
// which have the same numbers, and in 5.0, 6.0 and 7.0. "" means that there is
// none.
func cis(v12, v14, v50, v60, v70 string) []Requirement {
	var list []Requirement
	for _, r := range []Requirement{
		{Standard: CIS12, ID: v12},
		{Standard: CIS14, ID: v14}, {Standard: CIS15, ID: v14}, {Standard: CIS20, ID: v14},
		{Standard: CIS30, ID: v14}, {Standard: CIS401, ID: v14},
		{Standard: CIS50, ID: v50}, {Standard: CIS60, ID: v60}, {Standard: CIS70, ID: v70},
	} {
		if r.ID != "" {
			list = append(list, r)
		}
	}
	return list
}

// manualSince4 marks the items that CIS assigns to a person since 4.0.
func manualSince4(list []Requirement) []Requirement {
	for i := range list {
		switch list[i].Standard {
		case CIS401, CIS50, CIS60, CIS70:
			list[i].Manual = true
		}
	}
	return list
}

// fsbp returns a Security Hub control that is in the AWS Foundational Security
// Best Practices standard.
func fsbp(id string) []Requirement { return append(of(SecurityHub, id), of(FSBP, id)...) }

// others returns the severities of the auditors that judge most controls.
func others(securityHub, prowler, scoutSuite string) []OtherSeverity {
	return []OtherSeverity{{"Security Hub", securityHub}, {"Prowler", prowler}, {"ScoutSuite", scoutSuite}}
}

// nistMFA lists the numbers that Security Hub prints for its controls on MFA.
var nistMFA = of(NIST53, "AC-2(1)", "AC-3(15)", "IA-2(1)", "IA-2(2)", "IA-2(6)", "IA-2(8)")

// unusedRequirements are the requirements for unused passwords and keys. Every
// standard combines them. IAM.22, with 45 days, is in no FSBP.
var unusedRequirements = requirements(
	cis("1.3", "1.12", "1.11", "2.11", "2.11"), fsbp("IAM.8"), of(SecurityHub, "IAM.22"),
	of(NIST53, "AC-2", "AC-2(1)", "AC-2(3)", "AC-3", "AC-3(7)", "AC-3(15)", "AC-6"), of(PCI401, "8.2.6"),
	suggested(ISO, "A.5.16", "A.5.18"), suggested(SOC2, "CC6.2", "CC6.3"),
)
