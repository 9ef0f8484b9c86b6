package servicecatalog_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/awsmodel"
	"rollcall/internal/servicecatalog"
)

// The catalogue can be read, and contains the services and actions that its
// users need.
func TestCatalog(t *testing.T) {
	actions := 0
	namespaces := servicecatalog.Namespaces()
	if len(namespaces) < 400 || !slices.IsSorted(namespaces) {
		t.Errorf("%d services", len(namespaces))
	}
	unlisted := 0
	for _, namespace := range namespaces {
		s, ok := servicecatalog.Find(namespace)
		if !ok || s.Namespace != namespace || s.Title == "" || strings.ContainsAny(s.Title+s.Format, "\t\n\x00") {
			t.Errorf("%s: %v %q %q", namespace, ok, s.Title, s.Format)
		}
		if !s.HasActions() {
			unlisted++
		}
		for a := range s.Actions() {
			actions++
			for _, arn := range a.ARNs {
				if !strings.HasPrefix(arn, "arn:") {
					t.Errorf("%s:%s: %s", namespace, a.Name, arn)
				}
			}
		}
	}
	if actions < 20_000 || unlisted > 20 {
		t.Errorf("%d actions, and %d services without any", actions, unlisted)
	}
	for namespace, title := range map[string]string{
		"ec2": "Amazon EC2", "iam": "AWS Identity and Access Management", "lambda": "AWS Lambda", "s3": "Amazon S3",
		"sns": "Amazon SNS",
		"sts": "AWS Security Token Service", "cloudformation": "AWS CloudFormation", "ses": "Amazon SES",
		"s3files": "Amazon S3 Files", // added later
	} {
		if s, _ := servicecatalog.Find(namespace); s.Title != title {
			t.Errorf("%s: %q", namespace, s.Title)
		}
	}
	if _, ok := servicecatalog.Find("S3"); ok {
		t.Error("a namespace in capitals is found")
	}
}

// The catalogue contains every action of Rollcall, except newer ones.
func TestCatalogKnowsWhatIsServed(t *testing.T) {
	unknown := 0
	for _, service := range []string{"iam", "sts"} {
		for _, op := range awsmodel.Operations(service) {
			if _, ok := servicecatalog.FindAction(service + ":" + op.Name); !ok {
				unknown++
			}
		}
	}
	if unknown > 10 {
		t.Errorf("%d actions are unknown", unknown)
	}
}

func TestFindAction(t *testing.T) {
	for _, name := range []string{"s3:GetObject", "S3:getobject", "iam:PassRole", "sts:TagSession"} {
		if a, ok := servicecatalog.FindAction(name); !ok || !strings.EqualFold(a.Service.Namespace+":"+a.Name, name) {
			t.Errorf("%s: %v %v", name, ok, a.Name)
		}
	}
	for _, name := range []string{"", ":", "s3", "s3:", "s3:*", "s3:GetObjec", "s3:GetObject ", "madeup:Action",
		":GetObject"} {
		if a, ok := servicecatalog.FindAction(name); ok {
			t.Errorf("%q is %s", name, a.Name)
		}
	}
}

// These are recorded, except those with a comment.
func TestFits(t *testing.T) {
	const account = "arn:aws:iam::123456789012:"
	for _, test := range []struct {
		action, arn string
		want        bool
	}{
		{"s3:GetObject", "*", true},
		{"s3:GetObject", "arn:aws:s3:::bucket/a", true},
		{"s3:GetObject", "arn:aws:s3:::bucket", true},
		{"s3:ListBucket", "arn:aws:s3:::bucket/a", true},
		{"s3:GetObject", "arn:unknown:s3:::name", true},
		{"s3:GetObject", "arn:aws:s3:region:account:name", true},
		{"s3:GetObject", "arn:aws:s3:::*", true},
		{"s3:GetObject", account + "user/one", false},
		{"s3:ListAllMyBuckets", "arn:aws:s3:::bucket", false},
		{"iam:GetUser", account + "user/one", true},
		{"iam:GetUser", account + "user/a/path/one", true}, // not recorded
		{"iam:GetUser", account + "role/one", false},
		{"iam:GetUser", account + "user/", false}, // not recorded
		{"iam:ListUsers", account + "user/one", false},
		{"iam:PassRole", account + "role/one", true},
		{"sts:AssumeRole", account + "role/one", true},
		{"sts:AssumeRole", account + "user/one", false},
		{"sts:GetCallerIdentity", account + "role/one", false},
		{"sqs:SendMessage", "arn:aws-cn:sqs:cn-north-1:123456789012:one", true},
		{"ec2:RunInstances", "arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0", true},
		// An asterisk matches anything: these are guesses.
		{"iam:GetUser", account + "*", true},
		{"iam:GetUser", account + "us*", true},
		{"iam:GetUser", "arn:aws:iam::*", true},
		{"iam:GetUser", account + "role*", false},
		{"iam:GetUser", "arn:aws:s3:::*", false},
		{"dynamodb:Query", "arn:aws:dynamodb:us-east-1:123456789012:table/t/index/i", true},
		{"dynamodb:Query", "arn:aws:dynamodb:us-east-1:123456789012:stream/t", false},
	} {
		a, ok := servicecatalog.FindAction(test.action)
		if !ok {
			t.Fatalf("%s is unknown", test.action)
		}
		if got := a.Fits(test.arn); got != test.want {
			t.Errorf("%s on %s: got %v", test.action, test.arn, got)
		}
	}
}

// A long ARN with many matches costs no more than others.
func TestFitsIsLinear(t *testing.T) {
	long := "arn:aws:dynamodb:us-east-1:123456789012:table/" + strings.Repeat("/index/x/stream/", 1<<15)
	began := time.Now()
	for s := range map[string]bool{"dynamodb": true, "lambda": true, "apigateway": true} {
		service, _ := servicecatalog.Find(s)
		for a := range service.Actions() {
			a.Fits(long + "y")
		}
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func BenchmarkFindAction(b *testing.B) {
	for b.Loop() {
		if _, ok := servicecatalog.FindAction("s3:PutObject"); !ok {
			b.Fatal("unknown")
		}
	}
}
