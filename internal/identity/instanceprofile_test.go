package identity_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func (w *world) profile(t testing.TB, name string) *types.InstanceProfile {
	t.Helper()
	return must(t, w.root, w.CreateInstanceProfile,
		&iam.CreateInstanceProfileInput{InstanceProfileName: &name}).InstanceProfile
}

func TestInstanceProfiles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		box := ptr("box")
		made := must(t, w.root, w.CreateInstanceProfile, &iam.CreateInstanceProfileInput{
			InstanceProfileName: ptr("Box"), Path: ptr("/ec2/"),
			Tags: []types.Tag{{Key: ptr("k"), Value: ptr("v")}, {Key: ptr("K"), Value: ptr("w")}},
		}).InstanceProfile
		if got, want := *made.Arn, "arn:aws:iam::"+account+":instance-profile/ec2/Box"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if len(*made.InstanceProfileId) != 21 || !strings.HasPrefix(*made.InstanceProfileId, "AIPA") ||
			made.Roles == nil || len(made.Tags) != 2 || !made.CreateDate.Equal(began) {
			t.Errorf("%+v", made)
		}
		refused(t, w.root, w.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: ptr("bOX")},
			409, "EntityAlreadyExists", "Instance Profile bOX already exists.")

		worker := w.role(t, "worker")
		w.role(t, "other")
		add := &iam.AddRoleToInstanceProfileInput{InstanceProfileName: box, RoleName: ptr("Worker")}
		must(t, w.root, w.AddRoleToInstanceProfile, add)
		for _, role := range []string{"worker", "other"} {
			refused(t, w.root, w.AddRoleToInstanceProfile,
				&iam.AddRoleToInstanceProfileInput{InstanceProfileName: box, RoleName: &role},
				409, "LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
		}
		got := must(t, w.root, w.GetInstanceProfile,
			&iam.GetInstanceProfileInput{InstanceProfileName: box}).InstanceProfile
		if len(got.Roles) != 1 || len(got.Tags) != 2 || *got.InstanceProfileId != *made.InstanceProfileId {
			t.Fatalf("%+v", got)
		}
		sameRole(t, got.Roles[0], *worker)
		listed := must(t, w.root, w.ListInstanceProfilesForRole,
			&iam.ListInstanceProfilesForRoleInput{RoleName: ptr("worker")})
		if len(listed.InstanceProfiles) != 1 || len(listed.InstanceProfiles[0].Roles) != 1 ||
			listed.InstanceProfiles[0].Tags != nil {
			t.Errorf("%+v", listed)
		}
		if none := must(t, w.root, w.ListInstanceProfilesForRole,
			&iam.ListInstanceProfilesForRoleInput{RoleName: ptr("other")}); none.InstanceProfiles == nil ||
			len(none.InstanceProfiles) != 0 {
			t.Errorf("%+v", none)
		}

		refused(t, w.root, w.DeleteRole, &iam.DeleteRoleInput{RoleName: ptr("worker")}, 409, "DeleteConflict",
			"Cannot delete entity, must remove roles from instance profile first.")
		refused(t, w.root, w.DeleteInstanceProfile, &iam.DeleteInstanceProfileInput{InstanceProfileName: box}, 409,
			"DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
		remove := &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: box, RoleName: ptr("worker")}
		must(t, w.root, w.RemoveRoleFromInstanceProfile, remove)
		refused(t, w.root, w.RemoveRoleFromInstanceProfile, remove, 404, "NoSuchEntity",
			"Role worker in Instance Profile Box cannot be found.")
		must(t, w.root, w.DeleteInstanceProfile, &iam.DeleteInstanceProfileInput{InstanceProfileName: box})
		const gone = "Instance Profile box cannot be found."
		refused(t, w.root, w.GetInstanceProfile, &iam.GetInstanceProfileInput{InstanceProfileName: box},
			404, "NoSuchEntity", gone)
		refused(t, w.root, w.DeleteInstanceProfile, &iam.DeleteInstanceProfileInput{InstanceProfileName: box},
			404, "NoSuchEntity", gone)
		refused(t, w.root, w.AddRoleToInstanceProfile, add, 404, "NoSuchEntity", gone)
		refused(t, w.root, w.RemoveRoleFromInstanceProfile, remove, 404, "NoSuchEntity", gone)
		w.profile(t, "box")
		add.RoleName = ptr("nobody")
		refused(t, w.root, w.AddRoleToInstanceProfile, add, 404, "NoSuchEntity",
			"The role with name nobody cannot be found.")
		if tags := must(t, w.root, w.ListInstanceProfileTags,
			&iam.ListInstanceProfileTagsInput{InstanceProfileName: box}).Tags; len(tags) != 0 {
			t.Errorf("tags of the deleted one: %+v", tags)
		}
	})
}

func TestListInstanceProfiles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i, path := range []string{"/", "/x/", "/xy/", "/x/y/"} {
			must(t, w.root, w.CreateInstanceProfile,
				&iam.CreateInstanceProfileInput{InstanceProfileName: ptr(fmt.Sprint("p", i)), Path: &path})
			w.role(t, fmt.Sprint("r", i))
			must(t, w.root, w.AddRoleToInstanceProfile,
				&iam.AddRoleToInstanceProfileInput{InstanceProfileName: ptr(fmt.Sprint("p", i)),
					RoleName: ptr(fmt.Sprint("r", i))})
		}
		must(t, w.root, w.AddRoleToInstanceProfile,
			&iam.AddRoleToInstanceProfileInput{InstanceProfileName: w.profile(t, "q").InstanceProfileName,
				RoleName: ptr("r2")})
		for prefix, want := range map[string]string{"/": "p0:r0 p1:r1 p2:r2 p3:r3 q:r2", "/x/": "p1:r1 p3:r3",
			"/x": "p1:r1 p2:r2 p3:r3"} {
			var all []string
			var marker *string
			for {
				page := must(t, w.root, w.ListInstanceProfiles,
					&iam.ListInstanceProfilesInput{PathPrefix: &prefix, Marker: marker, MaxItems: ptr(int32(2))})
				for _, p := range page.InstanceProfiles {
					all = append(all, *p.InstanceProfileName+":"+*p.Roles[0].RoleName)
				}
				if marker = page.Marker; !page.IsTruncated {
					break
				}
			}
			if got := strings.Join(all, " "); got != want {
				t.Errorf("%s: %s, want %s", prefix, got, want)
			}
		}
		first := must(t, w.root, w.ListInstanceProfilesForRole,
			&iam.ListInstanceProfilesForRoleInput{RoleName: ptr("r2"), MaxItems: ptr(int32(1))})
		second := must(t, w.root, w.ListInstanceProfilesForRole,
			&iam.ListInstanceProfilesForRoleInput{RoleName: ptr("r2"), Marker: first.Marker})
		if *first.InstanceProfiles[0].InstanceProfileName != "p2" ||
			*second.InstanceProfiles[0].InstanceProfileName != "q" || len(second.InstanceProfiles) != 1 {
			t.Errorf("%+v %+v", first, second)
		}
	})
}

func TestInstanceProfileQuotaAndTags(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := w.SetLimits(t.Context(), account,
			map[string]int{"InstanceProfilesPerAccount": 1, "InstanceSessionsPerInstanceProfile": 2}); err != nil {
			t.Fatal(err)
		}
		w.profile(t, "box")
		w.role(t, "worker")
		refused(t, w.root, w.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: ptr("two")},
			409, "LimitExceeded", "Cannot exceed quota for InstanceProfilesPerAccount: 1")
		add := &iam.AddRoleToInstanceProfileInput{InstanceProfileName: ptr("box"), RoleName: ptr("worker")}
		must(t, w.root, w.AddRoleToInstanceProfile, add)
		refused(t, w.root, w.AddRoleToInstanceProfile, add, 409, "EntityAlreadyExists",
			"Role worker in Instance Profile box already exists.")
		shown := must(t, w.root, w.GetInstanceProfile,
			&iam.GetInstanceProfileInput{InstanceProfileName: ptr("box")}).InstanceProfile
		if shown.Tags == nil || len(shown.Tags) != 0 { // recorded: present and empty
			t.Errorf("%#v", shown.Tags)
		}
		// Keys that differ in case are two keys.
		tag := func(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }
		must(t, w.root, w.TagInstanceProfile,
			&iam.TagInstanceProfileInput{InstanceProfileName: ptr("BOX"),
				Tags: []types.Tag{tag("k", "1"), tag("K", "2")}})
		must(t, w.root, w.TagInstanceProfile,
			&iam.TagInstanceProfileInput{InstanceProfileName: ptr("box"), Tags: []types.Tag{tag("k", "3")}})
		must(t, w.root, w.UntagInstanceProfile,
			&iam.UntagInstanceProfileInput{InstanceProfileName: ptr("box"), TagKeys: []string{"K"}})
		tags := must(t, w.root, w.ListInstanceProfileTags,
			&iam.ListInstanceProfileTagsInput{InstanceProfileName: ptr("box")}).Tags
		if len(tags) != 1 || *tags[0].Key != "k" || *tags[0].Value != "3" {
			t.Errorf("%+v", tags)
		}
		refused(t, w.root, w.TagInstanceProfile,
			&iam.TagInstanceProfileInput{InstanceProfileName: ptr("box"),
				Tags: []types.Tag{tag("k", ""), tag("k", "")}}, 400, "InvalidInput", "Duplicate tag keys found.")
		refused(t, w.root, w.CreateInstanceProfile,
			&iam.CreateInstanceProfileInput{InstanceProfileName: ptr("two"), Tags: []types.Tag{tag("aws:k", "")}}, 400,
			"InvalidInput", "Tag keys beginning with aws: are reserved for system use.")
	})
}
