// Package managedpolicy is the policies that AWS manages, as data: their
// names, ARNs, and statements for what Rollcall serves.
package managedpolicy

import (
	"strings"
	"time"
)

// Policy is a policy that AWS manages. It has one version, its default.
type Policy struct {
	Name        string
	Path        string // "/", "/job-function/", …
	ID          string // ANPA…
	Description string
	Version     string // v1
	Document    string
	Created     time.Time
	Updated     time.Time
}

// ARN is the policy's ARN in a partition.
func (p *Policy) ARN(partition string) string {
	return "arn:" + partition + ":iam::aws:policy" + p.Path + p.Name
}

// Find returns the policy with an ARN of any partition, nil where there is
// none. It must not be changed.
func Find(arn string) *Policy {
	part := strings.SplitN(arn, ":", 6)
	if len(part) != 6 || part[0] != "arn" || part[2] != "iam" || part[3] != "" || part[4] != "aws" {
		return nil
	}
	name, ok := strings.CutPrefix(part[5], "policy")
	if !ok {
		return nil
	}
	for i := range policies {
		if p := &policies[i]; p.Path+p.Name == name {
			return p
		}
	}
	return nil
}

// All are the policies in order of their names. They must not be changed.
func All() []Policy { return policies }

var policies = []Policy{{
	Name: "AdministratorAccess", Path: "/", ID: "ANPAIWMBCKSKIEE64ZLYK",
	Description: "Provides full access to AWS services and resources.", Version: "v1",
	Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
	Created:  time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC), Updated: time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC),
}}
