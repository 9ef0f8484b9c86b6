package rollcalltest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/rollcalltest"
)

// The example creates a user and finds it in the account's credential report,
// with the AWS SDK for Go.
func ExampleNew() {
	var t testing.TB = thisTest{} // in your own test: its t

	server := rollcalltest.New(t)
	client := iam.NewFromConfig(server.Config())
	ctx := t.Context()

	if _, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("bill")}); err != nil {
		t.Fatal(err)
	}
	for {
		state, err := client.GenerateCredentialReport(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if state.State == types.ReportStateTypeComplete {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	report, err := client.GetCredentialReport(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(report.Content)) {
		fmt.Println(strings.SplitN(line, ",", 3)[:2])
	}
	// Output:
	// [user arn]
	// [<root_account> arn:aws:iam::123456789012:root]
	// [bill arn:aws:iam::123456789012:user/bill]
}

// thisTest replaces the t of a test, which an example does not have.
type thisTest struct{ testing.TB }

func (thisTest) Helper()                  {}
func (thisTest) Context() context.Context { return context.Background() }
func (thisTest) Cleanup(func())           {}
func (thisTest) Fatal(args ...any)        { panic(fmt.Sprint(args...)) }
