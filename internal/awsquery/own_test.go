package awsquery

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// GetCredentialReportInput is the SDK's input with a parameter of our own.
type GetCredentialReportInput struct {
	Rollcall *struct {
		At   *time.Time
		Name *string
	} `query:"Rollcall"`
}

func TestOwnParameters(t *testing.T) {
	op := Of(func(context.Context, *GetCredentialReportInput) (*iam.GetCredentialReportOutput, error) {
		return nil, nil
	})
	if op.Service != "iam" || op.Name != "GetCredentialReport" {
		t.Fatalf("operation %s of %s", op.Name, op.Service)
	}
	form, err := ParseForm("Action=GetCredentialReport&Rollcall.At=2026-11-23T10:00:00Z&Rollcall.Name=x")
	if err != nil {
		t.Fatal(err)
	}
	in := op.NewInput().(*GetCredentialReportInput)
	if err := op.Decode(form, in); err != nil {
		t.Fatal(err)
	}
	own := in.Rollcall
	if own == nil || own.At == nil || !own.At.Equal(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)) ||
		own.Name == nil || *own.Name != "x" {
		t.Errorf("decoded %+v", in)
	}
}
