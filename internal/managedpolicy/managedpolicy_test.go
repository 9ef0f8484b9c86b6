package managedpolicy

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"rollcall/internal/policy"
)

var update = flag.Bool("update", false, "pack the policies again")

// TestPacked compares the policies that the program contains with the file.
func TestPacked(t *testing.T) {
	want, err := os.ReadFile("policies.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(4<<20))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("policies.tsv.zst", w.EncodeAll(want, nil), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if lines() != string(want) {
		t.Error("policies.tsv.zst is not policies.tsv: run go test ./internal/managedpolicy -run TestPacked -update")
	}
}

// Every document of every partition can be used for decisions, and the fields
// for lists exist and are unique.
func TestAll(t *testing.T) {
	for partition := range partitions {
		all := All(partition)
		if len(all) < 1400 {
			t.Fatalf("%s: %d policies", partition, len(all))
		}
		names, ids, before := map[string]bool{}, map[string]bool{}, ""
		for _, p := range all {
			if _, err := policy.Parse(p.Document, policy.Managed); err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
			key := strings.ToLower(p.Name)
			if names[key] || ids[p.ID] || key <= before {
				t.Errorf("%s is not unique or not in order", p.Name)
			}
			names[key], ids[p.ID], before = true, true, key
			if len(p.ID) != 21 || !strings.HasPrefix(p.ID, "ANPA") || !strings.HasPrefix(p.Version, "v") ||
				p.Created.IsZero() || p.Updated.Before(p.Created) {
				t.Errorf("%+v", p)
			}
			if Find(p.ARN(partition)) != p {
				t.Errorf("%s is not found", p.ARN(partition))
			}
			if partition != "aws" && strings.Contains(p.Document, `"arn:aws:`) {
				t.Errorf("%s of %s names the partition aws", p.Name, partition)
			}
		}
	}
	if All("aws-mars") != nil {
		t.Error("a partition that is none has policies")
	}
}

func TestFind(t *testing.T) {
	admin := Find("arn:aws:iam::aws:policy/AdministratorAccess")
	want := Policy{
		Name: "AdministratorAccess", Path: "/", ID: "ANPAIWMBCKSKIEE64ZLYK",
		Description: "Provides full access to AWS services and resources.",
		Version:     "v1",
		Document:    `{"Statement":[{"Action":"*","Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}`,
		Created:     date("2015-02-06T18:39:46Z"), Updated: date("2015-02-06T18:39:46Z"),
	}
	if admin == nil || *admin != want {
		t.Errorf("%+v", admin)
	}
	audit := Find("arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials")
	if audit == nil || audit.ID != "ANPAZKAPJZG4BDSCREYVS" {
		t.Errorf("%+v", audit)
	}
	for _, name := range []string{
		"PowerUserAccess", "ReadOnlyAccess", "IAMFullAccess", "IAMReadOnlyAccess", "IAMUserChangePassword",
		"IAMUserSSHKeys",
		"IAMSelfManageServiceSpecificCredentials", "IAMAccessAdvisorReadOnly", "IAMAccessAnalyzerFullAccess",
		"IAMAccessAnalyzerReadOnlyAccess",
		"SecurityAudit", "AWSDenyAll", "job-function/ViewOnlyAccess", "job-function/Billing",
		"job-function/SupportUser", "job-function/DatabaseAdministrator",
		"AmazonS3ReadOnlyAccess", "AmazonS3FullAccess", "AmazonEC2FullAccess", "AmazonEC2ReadOnlyAccess",
		"service-role/AWSLambdaBasicExecutionRole",
		"AmazonEKSClusterPolicy", "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "CloudWatchReadOnlyAccess",
		"CloudWatchAgentServerPolicy",
		"AmazonSSMManagedInstanceCore", "service-role/AmazonECSTaskExecutionRolePolicy",
		"root-task/IAMAuditRootUserCredentials", "root-task/IAMCreateRootUserPassword",
		"root-task/IAMDeleteRootUserCredentials",
		"root-task/S3UnlockBucketPolicy", "root-task/SQSUnlockQueuePolicy",
		"aws-service-role/AWSSupportServiceRolePolicy",
		"aws-service-role/AWSIAMRoleManagerServiceRolePolicy",
	} {
		for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
			if Find("arn:"+partition+":iam::aws:policy/"+name) == nil {
				t.Errorf("no %s in %s", name, partition)
			}
		}
	}
	for _, arn := range []string{
		"", "AdministratorAccess", "arn:aws:iam::aws:policy/administratoraccess",
		"arn:aws:iam::aws:policy/service-role/AdministratorAccess",
		"arn:aws:iam::aws:role/AdministratorAccess", "arn:aws:iam::123456789012:policy/AdministratorAccess",
		"arn:aws:iam:us-east-1:aws:policy/AdministratorAccess",
		"arn:aws:s3::aws:policy/AdministratorAccess", "arn:aws-mars:iam::aws:policy/AdministratorAccess",
		"arn:aws:iam::aws:policyAdministratorAccess",
	} {
		if p := Find(arn); p != nil {
			t.Errorf("%q finds %s", arn, p.Name)
		}
	}
	if self := Find("arn:aws-cn:iam::aws:policy/IAMUserChangePassword"); !strings.Contains(self.Document,
		`"arn:aws-cn:iam::*:user/${aws:username}"`) {
		t.Errorf("of aws-cn: %s", self.Document)
	}
}
