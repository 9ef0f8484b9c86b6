package demo

import (
	"context"
	"fmt"
	"time"
)

// Step is one event in the account.
type Step struct {
	Ago       time.Duration
	Who, What string
	Do        func(context.Context, *Account) error
}

// When returns in words how long ago it was.
func (s Step) When() string {
	if days := s.Ago / day; days > 0 {
		return fmt.Sprintf("%d days ago", days)
	}
	return "today"
}

const (
	day = 24 * time.Hour
	// Years is the age of the account.
	Years = 730 * day
)

// Story is the account's history, in order. Administrator and Bill are from
// AWS's example of a report. The others have every other state that a row can
// have. Carol signs in as people do, through the console's forms.
var Story = []Step{
	{729 * day, "root", "an MFA device, enabled with two of its codes",
		func(ctx context.Context, a *Account) error {
			return a.device(ctx, "")
		}},
	{729 * day, "the account", "a policy: passwords expire after 90 days",
		func(ctx context.Context, a *Account) error {
			return a.policy(ctx, 90)
		}},
	{700 * day, "the account", "groups: Auditors get the report, Developers see themselves, Operators do all with MFA",
		func(ctx context.Context, a *Account) error {
			return a.inTurn(a.group(ctx, "Auditors", "CredentialReport",
				`{"Effect":"Allow","Action":["iam:GenerateCredentialReport","iam:GetCredentialReport"],`+
					`"Resource":"*"}`),
				func() error {
					return a.group(ctx, "Developers", "SeeYourself",
						`{"Effect":"Allow","Action":"iam:GetUser",`+
							`"Resource":"arn:aws:iam::*:user/people/${aws:username}"}`)
				}, func() error {
					return a.group(ctx, "Operators", "EverythingWithMFA",
						`{"Effect":"Allow","Action":"*","Resource":"*",
						"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`)
				})
		}},
	{690 * day, "Administrator", "a password without MFA, and an access key",
		func(ctx context.Context, a *Account) error {
			return a.inTurn(a.user(ctx, "/", "Administrator"), func() error {
				return a.password(ctx, "Administrator", false)
			},
				func() error { return a.key(ctx, "Administrator", "first") })
		}},
	{640 * day, "Bill", "a signing certificate, switched off at once", func(ctx context.Context, a *Account) error {
		return a.inTurn(a.user(ctx, "/", "Bill"), func() error { return a.certificate(ctx, "Bill", "Inactive") })
	}},
	{430 * day, "Frank", "an access key", func(ctx context.Context, a *Account) error {
		return a.inTurn(a.user(ctx, "/", "Frank"), func() error { return a.key(ctx, "Frank", "only") })
	}},
	{365 * day, "Administrator", "a second key, to change over to", func(ctx context.Context, a *Account) error {
		return a.inTurn(a.use(ctx, "Administrator", "first", "us-east-1"), func() error {
			return a.key(ctx, "Administrator", "second")
		})
	}},
	{320 * day, "Frank", "uses the key in eu-west-1; then it is switched off",
		func(ctx context.Context, a *Account) error {
			return a.inTurn(a.use(ctx, "Frank", "only", "eu-west-1"), func() error {
				return a.switchOff(ctx, "Frank", "only")
			})
		}},
	{200 * day, "Carol", "a password and an MFA device", func(ctx context.Context, a *Account) error {
		return a.inTurn(a.user(ctx, "/people/", "Carol"), func() error { return a.password(ctx, "Carol", false) },
			func() error { return a.device(ctx, "Carol") }, func() error { return a.join(ctx, "Operators", "Carol") })
	}},
	{150 * day, "Grace", "an access key that nobody ever uses", func(ctx context.Context, a *Account) error {
		return a.inTurn(a.user(ctx, "/", "Grace"), func() error { return a.key(ctx, "Grace", "only") })
	}},
	{95 * day, "Heidi", "two signing certificates, one of them off", func(ctx context.Context, a *Account) error {
		return a.inTurn(a.user(ctx, "/", "Heidi"), func() error { return a.certificate(ctx, "Heidi", "Inactive") },
			func() error { return a.certificate(ctx, "Heidi", "Active") })
	}},
	{80 * day, "Olivia", "an access key; she joins the Auditors", func(ctx context.Context, a *Account) error {
		return a.inTurn(a.user(ctx, "/people/", "Olivia"), func() error { return a.key(ctx, "Olivia", "only") },
			func() error { return a.join(ctx, "Auditors", "Olivia") })
	}},
	{60 * day, "Eve", "an access key", func(ctx context.Context, a *Account) error {
		return a.inTurn(a.user(ctx, "/machines/", "Eve"), func() error { return a.key(ctx, "Eve", "only") })
	}},
	{40 * day, "=1+1", "a password, and a name like a formula", func(ctx context.Context, a *Account) error {
		return a.inTurn(a.user(ctx, "/", "=1+1"), func() error { return a.password(ctx, "=1+1", false) })
	}},
	{40 * day, "a,b", "a name with a comma, and no credentials", func(ctx context.Context, a *Account) error {
		return a.user(ctx, "/", "a,b")
	}},
	{10 * day, "Dave", "a password to change when he first signs in", func(ctx context.Context, a *Account) error {
		return a.inTurn(a.user(ctx, "/people/", "Dave"), func() error { return a.password(ctx, "Dave", true) })
	}},
	{5 * day, "Victor", "an access key; he and Dave join the Developers",
		func(ctx context.Context, a *Account) error {
			return a.inTurn(a.user(ctx, "/people/", "Victor"), func() error { return a.key(ctx, "Victor", "only") },
				func() error { return a.join(ctx, "Developers", "Victor", "Dave") })
		}},
	{3 * day, "Eve", "uses the key in us-west-2", func(ctx context.Context, a *Account) error {
		return a.use(ctx, "Eve", "only", "us-west-2")
	}},
	{0, "Carol", "signs in by password and MFA, and chooses a password for one that expired",
		func(ctx context.Context, a *Account) error { return a.signIn(ctx, "Carol") }},
	{0, "Administrator", "uses the second key", func(ctx context.Context, a *Account) error {
		return a.use(ctx, "Administrator", "second", "us-east-1")
	}},
}

// Tell runs the story. It calls told after each step; told may be nil.
func (a *Account) Tell(ctx context.Context, told func(Step) error) error {
	for _, s := range Story {
		a.clock.Set(s.Ago + time.Minute) // ages in days stay the same however long this takes
		err := s.Do(ctx, a)
		if err == nil && told != nil {
			err = told(s)
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", s.Who, s.What, err)
		}
	}
	a.clock.Set(0)
	return nil
}
