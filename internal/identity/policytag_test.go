package identity_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func TestPolicyTags(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		arn := w.policy(t, "/", "p")
		tag := func(pairs ...string) {
			t.Helper()
			var tags []types.Tag
			for i := 0; i < len(pairs); i += 2 {
				tags = append(tags, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
			}
			must(t, w.root, w.TagPolicy, &iam.TagPolicyInput{PolicyArn: &arn, Tags: tags})
		}
		listed := func(want string) {
			t.Helper()
			out := must(t, w.root, w.ListPolicyTags, &iam.ListPolicyTagsInput{PolicyArn: &arn})
			var got []string
			for _, tag := range out.Tags {
				got = append(got, *tag.Key+"="+*tag.Value)
			}
			if text := strings.Join(got, " "); text != want || out.Tags == nil {
				t.Errorf("tags %s, want %s", text, want)
			}
		}
		listed("")
		tag("abc", "first", "b", "second", "z", "third", "a", "fourth") // the recorded order
		listed("a=fourth b=second z=third abc=first")
		tag("A", "upper", "a", "")
		listed("A=upper a= b=second z=third abc=first")
		must(t, w.root, w.UntagPolicy, &iam.UntagPolicyInput{PolicyArn: &arn, TagKeys: []string{"a", "abc", "nothing"}})
		listed("A=upper b=second z=third")

		refused(t, w.root, w.TagPolicy, &iam.TagPolicyInput{PolicyArn: &arn, Tags: []types.Tag{}}, 400, "InvalidInput",
			"The provided tag map must not be null/empty.")
		refused(t, w.root, w.TagPolicy,
			&iam.TagPolicyInput{PolicyArn: &arn,
				Tags: []types.Tag{{Key: ptr("0"), Value: ptr("")}, {Key: ptr("0"), Value: ptr("")}}},
			400, "InvalidInput", "Duplicate tag keys found.")
		for i := range 47 {
			tag(fmt.Sprint("k", i), "v")
		}
		refused(t, w.root, w.TagPolicy,
			&iam.TagPolicyInput{PolicyArn: &arn, Tags: []types.Tag{{Key: ptr("more"), Value: ptr("")}}},
			409, "LimitExceeded", "The number of tags has reached the maximum limit.")

		nothing := policyARN + "/NotAPolicy"
		gone := "Policy " + nothing + " was not found."
		refused(t, w.root, w.TagPolicy,
			&iam.TagPolicyInput{PolicyArn: &nothing, Tags: []types.Tag{{Key: ptr("k"), Value: ptr("")}}},
			404, "NoSuchEntity", gone)
		refused(t, w.root, w.UntagPolicy, &iam.UntagPolicyInput{PolicyArn: &nothing, TagKeys: []string{"k"}},
			404, "NoSuchEntity", gone)
		refused(t, w.root, w.ListPolicyTags, &iam.ListPolicyTagsInput{PolicyArn: &nothing}, 404, "NoSuchEntity", gone)
	})
}
