package rollcalltest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"rollcall/rollcalltest"
)

func TestNew(t *testing.T) {
	server := rollcalltest.New(t,
		rollcalltest.Options{AccountID: "210987654321", Alias: "example",
			Limits: map[string]int{"AccessKeysPerUser": 1}})
	client := iam.NewFromConfig(server.Config())
	ctx := t.Context()

	who, err := sts.NewFromConfig(server.Config()).GetCallerIdentity(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := *who.Arn; got != "arn:aws:iam::210987654321:root" {
		t.Errorf("the caller is %s", got)
	}
	aliases, err := client.ListAccountAliases(ctx, nil)
	if err != nil || len(aliases.AccountAliases) != 1 || aliases.AccountAliases[0] != "example" {
		t.Errorf("aliases %+v, %v", aliases, err)
	}

	if _, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("bill")}); err != nil {
		t.Fatal(err)
	}
	key, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("bill")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("bill")})
	if limit := (*types.LimitExceededException)(nil); !errors.As(err, &limit) {
		t.Errorf("a second key in spite of the limit: %v", err)
	}
	bill := iam.NewFromConfig(server.ConfigFor(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey))
	if _, err = bill.ListUsers(ctx, nil); code(err) != "AccessDenied" {
		t.Errorf("bill lists users: %v", err)
	}

	server.Reset(t)
	users, err := client.ListUsers(ctx, nil)
	if err != nil || len(users.Users) != 0 {
		t.Errorf("after Reset: %+v, %v", users, err)
	}
	if _, err = bill.ListUsers(ctx, nil); code(err) != "InvalidClientTokenId" {
		t.Errorf("bill's key after Reset: %v", err)
	}
}

func code(err error) string {
	var e smithy.APIError
	if !errors.As(err, &e) {
		return ""
	}
	return e.ErrorCode()
}

// Many tests at once each have their own service.
func TestNewInParallel(t *testing.T) {
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			client := iam.NewFromConfig(rollcalltest.New(t).Config())
			if _, err := client.CreateUser(t.Context(),
				&iam.CreateUserInput{UserName: aws.String("bill")}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestClock(t *testing.T) {
	server := rollcalltest.New(t, rollcalltest.Options{Now: func() time.Time { return time.Now().Add(-time.Hour) }})
	client := iam.NewFromConfig(server.Config(), func(o *iam.Options) { o.Retryer = aws.NopRetryer{} })
	if _, err := client.ListUsers(t.Context(), nil); code(err) != "SignatureDoesNotMatch" {
		t.Errorf("a signature from the future: %v", err)
	}
}

// BenchmarkNew measures the time from nothing to the first answer.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		server := rollcalltest.New(b)
		if _, err := iam.NewFromConfig(server.Config()).ListUsers(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
	}
}
