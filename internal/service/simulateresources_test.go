package service_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Several resources have the name of their service's form. An action that does
// not apply to a resource is not allowed on it.
func TestSimulatedResources(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	allow := oneStatement("Allow", "*", "*", "")
	const bucket, object, group = "arn:aws:s3:::bucket", "arn:aws-cn:s3:::bucket/key",
		"arn:aws:iam::123456789012:group/Devs"
	for name, c := range map[string]struct {
		action    string
		resources []string
		want      []string
	}{
		"S3": {"s3:GetObject", []string{object, bucket}, []string{
			"s3:GetObject on arn:aws-cn:s3:::${BucketName}/${KeyName}: allowed PolicyInputList.1:1.38-1.83",
			"  " + object + ": allowed PolicyInputList.1:1.38-1.83",
			"  " + bucket + ": allowed PolicyInputList.1:1.38-1.83"}},
		"one fits": {"IAM:getuser", []string{userPath + "/Ann", group}, []string{
			"IAM:getuser on arn:aws:iam::${Account}:${ResourceType}/${ResourceName}: implicitDeny " +
				"PolicyInputList.1:1.38-1.83",
			"  " + userPath + "/Ann: allowed PolicyInputList.1:1.38-1.83", "  " + group + ": implicitDeny"}},
		"another kind": {"s3:GetObject", []string{group},
			[]string{"s3:GetObject on " + group + ": implicitDeny", "  " + group + ": implicitDeny"}},
		"everything": {"iam:GetUser", []string{"*"},
			[]string{"iam:GetUser on *: allowed PolicyInputList.1:1.38-1.83"}},
		"about no ARN": {"iam:ListUsers", []string{group},
			[]string{"iam:ListUsers on " + group + ": implicitDeny", "  " + group + ": implicitDeny"}},
		"not known": {"x:Y", []string{group},
			[]string{"x:Y on " + group + ": allowed PolicyInputList.1:1.38-1.83",
				"  " + group + ": allowed PolicyInputList.1:1.38-1.83"}},
		"a pattern": {"iam:Get*", nil, []string{"iam:Get* on *: allowed PolicyInputList.1:1.38-1.83"}},
		"without a trust": {"sts:AssumeRole", []string{rolePath + "/none"},
			[]string{"sts:AssumeRole on " + rolePath + "/none: allowed PolicyInputList.1:1.38-1.83",
				"  " + rolePath + "/none: allowed PolicyInputList.1:1.38-1.83"}},
		"several not known": {"x:Y", []string{group, bucket}, []string{"x:Y on *: allowed PolicyInputList.1:1.38-1.83",
			"  " + group + ": allowed PolicyInputList.1:1.38-1.83",
			"  " + bucket + ": allowed PolicyInputList.1:1.38-1.83"}},
	} {
		t.Run(name, func(t *testing.T) {
			wantLines(t, simulated(must(t, w.root.SimulateCustomPolicy, &iam.SimulateCustomPolicyInput{
				PolicyInputList: []string{allow}, ActionNames: []string{c.action}, ResourceArns: c.resources,
			}).EvaluationResults), c.want...)
		})
	}

	// If an action does not apply to a resource, no policy is evaluated, neither
	// for keys nor for denies.
	in := &iam.SimulateCustomPolicyInput{
		PolicyInputList: []string{oneStatement("Deny", "*", "*", ""),
			oneStatement("Allow", "*", "*", `{"Null":{"a:x":"true"}}`)},
		ActionNames: []string{"iam:GetUser"}, ResourceArns: []string{group},
	}
	same(t, must(t, w.root.SimulateCustomPolicy, in).EvaluationResults, []types.EvaluationResult{{
		EvalActionName: ptr("iam:GetUser"), EvalResourceName: ptr(group), EvalDecision: "implicitDeny",
		MatchedStatements:    []types.Statement{},
		MissingContextValues: []string{}, EvalDecisionDetails: map[string]types.PolicyEvaluationDecisionType{},
		ResourceSpecificResults: []types.ResourceSpecificResult{
			{EvalResourceName: ptr(group), EvalResourceDecision: "implicitDeny"}},
	}})
}

func TestSimulateRefusesResources(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	const bucket, instance, noARN = "arn:aws:s3:::bucket", "arn:aws:ec2:us-east-1:123456789012:instance/i-1",
		"ResourceNames are not in a valid ARN format: "
	const handling = "Invalid input resource handling options. Action does not support resource handling options: "
	const run = "arn:aws:devicefarm:us-west-2:123456789012:run:a/b"
	const more = ". Please refer to the documentation for more details: " +
		"https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html"
	list := func(texts ...string) []string { return texts }
	for _, c := range []struct {
		actions, resources []string
		handling           string
		message            string // "" means no error
	}{
		{list("s3:GetObject", "x:A", "s3:PutObject", "s3:Nothing"), list(bucket), "",
			"Invalid Input Actions: [s3:GetObject,s3:PutObject] and [x:A,s3:Nothing] require different authorization " +
				"information. "},
		{list("s3:GetObject", "x:A"), nil, "", ""},
		{list("s3:GetObject", "x:A"), list("*"), "", ""},
		{list("x:B", "x:A"), list(bucket), "", ""},
		{list("s3:GetObject", "x:A"), list("bucket"), "",
			"Invalid Input Actions: [s3:GetObject] and [x:A] require different authorization information. "},
		{list("s3:GetObject"), list("bucket"), "", noARN + "bucket."},
		{list("s3:GetObject"), list(bucket, "*"), "", noARN + "*."},
		{list("s3:GetObject"), list("arn:aws:s3:::"), "", noARN + "arn:aws:s3:::."},
		{list("s3:GetObject"), list("arn::s3:::b"), "", noARN + "arn::s3:::b."},
		{list("s3:GetObject"), list("arn:aws::::b"), "", noARN + "arn:aws::::b."},
		{list("s3:GetObject"), list("ARN:aws:s3:::b"), "", noARN + "ARN:aws:s3:::b."},
		{list("s3:GetObject"), list("arn:unknown:s3:::b", "arn:aws:s3:us-east-1:123456789012:b"), "", ""},
		{list("ec2:RunInstances"), list(instance), "EC2-VPC-EBS-Subnet", ""},
		{list("ec2:RunInstances"), list(instance), "EC2-Classic-EBS", ""},
		{list("ec2:RunInstances"), list(instance), "EC2", handling + "ec2:RunInstances" + more},
		{list("ec2:StopInstances"), list(instance), "EC2-VPC-EBS", handling + "ec2:StopInstances" + more},
		{list("ec2:StopInstances"), nil, "EC2-VPC-EBS", ""},
		{list("cloudwatch:TagResource"), list("arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"), "CloudWatch-Alarm",
			""},
		{list("devicefarm:ScheduleRun"), list(run), "Device Pool as filter", ""},
		{list("devicefarm:ScheduleRun"), list(run), "Device", handling + "devicefarm:ScheduleRun" + more},
	} {
		in := &iam.SimulateCustomPolicyInput{PolicyInputList: []string{oneStatement("Allow", "*", "*", "")},
			ActionNames: c.actions, ResourceArns: c.resources}
		if c.handling != "" {
			in.ResourceHandlingOption = &c.handling
		}
		if c.message == "" {
			must(t, w.root.SimulateCustomPolicy, in)
			continue
		}
		refused(t, w.root.SimulateCustomPolicy, in, 400, "InvalidInput", c.message)
	}
}
