package awsquery_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"rollcall/internal/awsmodel"
	"rollcall/internal/awsquery"
)

func TestEncodeJSON(t *testing.T) {
	expires := time.Date(2026, 11, 23, 11, 0, 0, 999, time.FixedZone("", 3600))
	for _, test := range []struct {
		op   awsquery.Operation
		out  any
		want string
	}{
		{bind[sts.GetCallerIdentityInput, sts.GetCallerIdentityOutput](),
			&sts.GetCallerIdentityOutput{UserId: aws.String("A"), Account: aws.String("1"),
				Arn: aws.String("a<>&\"\x01é\xff")},
			`{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"Account":"1","Arn":"a<>&\"\u0001é\ufffd",` +
				`"UserId":"A"},` +
				`"ResponseMetadata":{"RequestId":"id"}}}`},
		{bind[sts.AssumeRoleInput, sts.AssumeRoleOutput](), &sts.AssumeRoleOutput{
			Credentials: &ststypes.Credentials{
				AccessKeyId: aws.String("k"), SecretAccessKey: aws.String("s"), SessionToken: aws.String("t"),
				Expiration: &expires,
			},
			PackedPolicySize: aws.Int32(7),
		}, `{"AssumeRoleResponse":{"AssumeRoleResult":{"AssumedRoleUser":null,"Credentials":{"AccessKeyId":"k",` +
			`"Expiration":1795428000,"SecretAccessKey":"s","SessionToken":"t"},"PackedPolicySize":7,` +
			`"SessionTokenSize":null,` +
			`"SessionTokenUtilization":null,"SourceIdentity":null},"ResponseMetadata":{"RequestId":"id"}}}`},
		{bind[iam.TagUserInput, iam.TagUserOutput](), nil,
			`{"TagUserResponse":{"ResponseMetadata":{"RequestId":"id"}}}`},
		{bind[iam.ListUsersInput, iam.ListUsersOutput](),
			&iam.ListUsersOutput{Users: []types.User{{Tags: []types.Tag{}}}},
			`{"ListUsersResponse":{"ListUsersResult":{"IsTruncated":false,"Marker":null,"Users":[{"Arn":null,` +
				`"CreateDate":null,` +
				`"PasswordLastUsed":null,"Path":null,"PermissionsBoundary":null,"Tags":[],"UserId":null,` +
				`"UserName":null}]},` +
				`"ResponseMetadata":{"RequestId":"id"}}}`},
	} {
		r, err := test.op.EncodeJSON(test.out, "id")
		if err != nil {
			t.Fatal(err)
		}
		if got := render(t, r); got != test.want || r.ContentType != "application/json" || r.Status != 200 {
			t.Errorf("%s: got %d %s\n%s\nwant\n%s", test.op.Name, r.Status, r.ContentType, got, test.want)
		}
	}
	if _, err := createUser.EncodeJSON(&sts.AssumeRoleOutput{}, "id"); err == nil {
		t.Error("an output of another operation is written")
	}
	if _, err := getReport.EncodeJSON(&report{}, "id"); err == nil {
		t.Error("a stream is written")
	}
}

func TestEncodeErrorJSON(t *testing.T) {
	for want, err := range map[string]*awsmodel.Error{
		`{"Error":{"Code":"ExpiredToken","Message":"The <token> is ` +
			`\"expired\"","Type":"Sender"},"RequestId":"id"}`: awsmodel.Fail(
			"ExpiredToken", "The <token> is %q", "expired"),
		`{"Error":{"Code":"ServiceFailure","Message":null,"Type":"Receiver"},"RequestId":"id"}`: {
			Code: "ServiceFailure"},
	} {
		r := awsquery.EncodeErrorJSON(err, "id")
		if got := render(t, r); got != want || r.Status != err.Status() || !json.Valid([]byte(got)) {
			t.Errorf("got %d %s", r.Status, got)
		}
	}
}
