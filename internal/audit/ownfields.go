package audit

import (
	"slices"

	"github.com/google/cel-go/common/types"
)

func truthFact(name, about string, columns []string, get func(*object) (bool, bool)) fact {
	return fact{name: name, kind: types.BoolType, about: about, columns: columns, truth: get}
}

func textFact(name, about string, columns []string, get func(*object) (string, bool)) fact {
	return fact{name: name, kind: types.StringType, about: about, columns: columns, text: get}
}

// ageFact returns a fact that is an age in days.
func ageFact(name, about string, columns []string, get func(*object) (int64, bool)) fact {
	return fact{name: name, kind: types.DoubleType, about: about, columns: columns, age: get}
}

// timeFact returns a fact that is a time, in seconds since 1970.
func timeFact(name, about string, columns []string, get func(*object) (int64, bool)) fact {
	return fact{name: name, kind: types.TimestampType, about: about, columns: columns, moment: get}
}

// on says on which part of a row a fact depends.
func (f fact) on(p part) fact {
	f.part = p
	return f
}

// slotFact returns the fact for the place of a key or certificate.
func slotFact() fact {
	return fact{name: "slot", kind: types.IntType, about: "1 or 2, the place in the report", part: ofPlace,
		count: func(o *object) (int64, bool) { return int64(o.credential().slot) + 1, true }}
}

// countFact returns a fact for a number in the report's statistics, if they
// contain it. Only controls of the account know it, because they are judged
// after the last row.
func countFact(name, about string, of func(*Stats) (n int, known bool)) fact {
	return fact{name: name, kind: types.IntType, about: "the number of " + about,
		count: func(o *object) (int64, bool) {
			if o.stats == nil {
				return 0, false
			}
			n, known := of(o.stats)
			return int64(n), known
		}}
}

// ofCredential returns the facts of every kind of credential. active and
// created are their names.
func ofCredential(active, made, created, about string) []fact {
	return []fact{
		truthFact(active, about, []string{"state"},
			func(o *object) (bool, bool) { return truth(o.credential().active) }).on(ofState),
		timeFact(created, "when that was", []string{"made"},
			func(o *object) (int64, bool) { return o.credential().made.Unix() }).on(ofState),
		ageFact("age_days", "days since then", []string{"made"},
			func(o *object) (int64, bool) { return o.sight.age(o.credential().made) }),
	}
}

// uses returns the facts about the uses of a password or a key.
func uses() []fact {
	return []fact{
		truthFact("used", "whether it was ever used", []string{"used"},
			func(o *object) (bool, bool) { return everUsed(o.credential().used) }).on(ofUse),
		timeFact("last_used", "when it was last used", []string{"used"},
			func(o *object) (int64, bool) { return o.credential().used.Unix() }).on(ofUse),
		ageFact("last_used_days", "days since its last use", []string{"used"},
			func(o *object) (int64, bool) { return o.sight.age(o.credential().used) }),
		ageFact("idle_days", "days since its last use, or since its creation or change if it was never used",
			[]string{"used", "made"}, (*object).idle),
	}
}

// factsOf returns the facts of each type of object.
var factsOf = map[string][]fact{
	"user": {
		textFact("name", "the name", []string{"user"}, func(o *object) (string, bool) { return given(o.row().User) }),
		textFact("arn", "the ARN", []string{"arn"}, (*object).arn),
		textFact("path", "the path, such as /people/", []string{"arn"}, (*object).path),
		truthFact("is_root", "whether it is the root user", []string{"user"},
			func(o *object) (bool, bool) { return o.sight.isRoot(), true }).on(ofClass),
		textFact("class", "human, machine, break-glass, root or unknown", []string{"user"},
			func(o *object) (string, bool) { return o.sight.class.String(), true }).on(ofClass),
		timeFact("created", "when the user was created", []string{"user_creation_time"},
			func(o *object) (int64, bool) { return o.row().Created.Unix() }),
		ageFact("age_days", "days since then", []string{"user_creation_time"},
			func(o *object) (int64, bool) { return o.sight.age(o.row().Created) }),
		truthFact("mfa", "whether an MFA device is enabled", []string{"mfa_active"},
			func(o *object) (bool, bool) { return mfa(o.row().MFAActive) }).on(ofMFA),
		{name: "keys", part: ofKeys, kind: types.NewListType(keyType),
			about: "the access keys; not known if one of them may or may not exist", columns: columnsOfBoth("access_key"),
			list: func(o *object) (credentialSet, bool) { return o.sight.existing(AccessKey) }},
		{name: "certificates", part: ofCertificates, kind: types.NewListType(certificateType),
			about: "the signing certificates, likewise", columns: columnsOfBoth("cert"),
			list: func(o *object) (credentialSet, bool) { return o.sight.existing(Certificate) }},
		{name: "tags", part: ofTags, kind: types.NewMapType(types.StringType, types.StringType),
			about: "the tags, known with --enrich tags only", tags: (*object).tagsOfUser},
	},
	"password": slices.Concat(
		ofCredential("enabled", "made", "changed", "whether there is a password"), uses(), []fact{
			timeFact("next_rotation", "when it has to be changed", []string{"password_next_rotation"},
				func(o *object) (int64, bool) { return o.row().PasswordNextRotation.Unix() }),
		}),
	"key": slices.Concat([]fact{slotFact()}, ofCredential("active", "made", "created", "whether the key is active"),
		uses(), []fact{
			textFact("last_used_region", "the region of its last use", []string{"access_key_N_last_used_region"},
				func(o *object) (string, bool) { return o.row().Keys[o.credential().slot].LastUsedRegion.Value() }),
			textFact("last_used_service", "the service of its last use", []string{"access_key_N_last_used_service"},
				func(o *object) (string, bool) { return o.row().Keys[o.credential().slot].LastUsedService.Value() }),
		}),
	"certificate": slices.Concat([]fact{slotFact()},
		ofCredential("active", "made", "uploaded", "whether the certificate is active")),
	"account": {
		textFact("id", "the account's number", nil,
			func(o *object) (string, bool) { return given(o.sight.accountID) }),
		textFact("partition", "aws, aws-cn or aws-us-gov", nil,
			func(o *object) (string, bool) { return given(o.sight.partition) }),
		countFact("users", "users, without root", func(s *Stats) (int, bool) { return s.Users, true }),
		countFact("console_users", "users with a password",
			func(s *Stats) (int, bool) { return s.ConsoleUsers, s.Untold.ConsoleUsers == 0 }),
		countFact("console_users_with_mfa", "users with a password and MFA",
			func(s *Stats) (int, bool) { return s.ConsoleUsersMFA, s.Untold.ConsoleUsers == 0 }),
		countFact("active_keys", "active access keys",
			func(s *Stats) (int, bool) { return s.ActiveKeys, s.Untold.Keys == 0 }),
		countFact("inactive_keys", "inactive access keys",
			func(s *Stats) (int, bool) { return s.InactiveKeys, s.Untold.Keys == 0 }),
		countFact("root_keys", "active access keys of root",
			func(s *Stats) (int, bool) { return s.Root.Keys, s.Root.Seen && s.Untold.Keys == 0 }),
		truthFact("root_mfa", "whether root has MFA", []string{"mfa_active"}, func(o *object) (is, known bool) {
			if root, seen := o.root(); seen {
				return mfa(root.MFA)
			}
			return false, false
		}),
		ageFact("root_last_used_days", "days since root was used; absent if it never was",
			[]string{"password_last_used"}, func(o *object) (int64, bool) {
				if root, seen := o.root(); seen && !root.UntoldUse {
					return o.sight.age(root.LastUsed)
				}
				return 0, false
			}),
	},
}

// columnsOfBoth returns the columns that show which credentials of a kind exist.
func columnsOfBoth(prefix string) []string {
	return []string{prefix + "_1_active", prefix + "_1_last_rotated", prefix + "_2_active", prefix + "_2_last_rotated"}
}
