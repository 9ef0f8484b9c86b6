package identity_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

// tagList returns tags from alternating keys and values.
func tagList(keysAndValues ...string) []types.Tag {
	tags := []types.Tag{}
	for i := 0; i < len(keysAndValues); i += 2 {
		tags = append(tags, types.Tag{Key: &keysAndValues[i], Value: &keysAndValues[i+1]})
	}
	return tags
}

func TestTagMFADevice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.device(t, "phone")
		tags := func() []types.Tag {
			t.Helper()
			return must(t, w.root, w.ListMFADeviceTags, &iam.ListMFADeviceTagsInput{SerialNumber: &p.serial}).Tags
		}
		if got := tags(); got == nil || len(got) > 0 {
			t.Errorf("tags of a new device: %v, want an empty list", got)
		}
		// Keys that differ in case are two tags of a device.
		must(t, w.root, w.TagMFADevice,
			&iam.TagMFADeviceInput{SerialNumber: &p.serial, Tags: tagList("team", "1", "Team", "2", "z", "3")})
		must(t, w.root, w.TagMFADevice, &iam.TagMFADeviceInput{SerialNumber: &p.serial, Tags: tagList("team", "4")})
		if diff := cmp.Diff(tagList("Team", "2", "team", "4", "z", "3"), tags(), ignoreSDK); diff != "" {
			t.Error(diff)
		}
		// Removing a missing tag is not an error.
		must(t, w.root, w.UntagMFADevice,
			&iam.UntagMFADeviceInput{SerialNumber: &p.serial, TagKeys: []string{"TEAM", "team", "none"}})
		if diff := cmp.Diff(tagList("Team", "2", "z", "3"), tags(), ignoreSDK); diff != "" {
			t.Error(diff)
		}
		page := must(t, w.root, w.ListMFADeviceTags,
			&iam.ListMFADeviceTagsInput{SerialNumber: &p.serial, MaxItems: ptr[int32](1)})
		rest := must(t, w.root, w.ListMFADeviceTags,
			&iam.ListMFADeviceTagsInput{SerialNumber: &p.serial, Marker: page.Marker})
		if diff := cmp.Diff(tagList("Team", "2", "z", "3"), append(page.Tags, rest.Tags...), ignoreSDK); diff != "" ||
			!page.IsTruncated || rest.IsTruncated {
			t.Error(diff)
		}
		// The tags are deleted with the device.
		must(t, w.root, w.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &p.serial})
		p = w.device(t, "phone")
		if got := tags(); len(got) > 0 {
			t.Errorf("a new device has the tags of the old one: %v", got)
		}
	})
}

func TestTagMFADeviceRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.device(t, "phone")
		none := mfaARN + "none"
		missing := "MFA Device with serial number " + none + " does not exist."
		refused(t, w.root, w.TagMFADevice, &iam.TagMFADeviceInput{SerialNumber: &none, Tags: tagList("a", "")},
			404, "NoSuchEntity", missing)
		refused(t, w.root, w.UntagMFADevice, &iam.UntagMFADeviceInput{SerialNumber: &none, TagKeys: []string{"a"}},
			404, "NoSuchEntity", missing)
		refused(t, w.root, w.ListMFADeviceTags, &iam.ListMFADeviceTagsInput{SerialNumber: &none},
			404, "NoSuchEntity", missing)
		refused(t, w.root, w.TagMFADevice, &iam.TagMFADeviceInput{SerialNumber: &p.serial, Tags: tagList()},
			400, "InvalidInput", "The provided tag map must not be null/empty.")
		refused(t, w.root, w.TagMFADevice, &iam.TagMFADeviceInput{SerialNumber: &p.serial, Tags: tagList("Aws:a", "")},
			400, "InvalidInput", "Tag keys beginning with aws: are reserved for system use.")
		refused(t, w.root, w.TagMFADevice,
			&iam.TagMFADeviceInput{SerialNumber: &p.serial, Tags: tagList("a", "", "a", "")},
			400, "InvalidInput", "Duplicate tag keys found.")

		var full []string
		for i := range 50 {
			full = append(full, fmt.Sprintf("k%02d", i), "")
		}
		must(t, w.root, w.TagMFADevice, &iam.TagMFADeviceInput{SerialNumber: &p.serial, Tags: tagList(full...)})
		refused(t, w.root, w.TagMFADevice,
			&iam.TagMFADeviceInput{SerialNumber: &p.serial, Tags: tagList("one more", "")},
			409, "LimitExceeded", "The number of tags has reached the maximum limit.")
		if got := must(t, w.root, w.ListMFADeviceTags,
			&iam.ListMFADeviceTagsInput{SerialNumber: &p.serial}).Tags; len(got) != 50 {
			t.Errorf("%d tags after a refusal", len(got))
		}
	})
}
