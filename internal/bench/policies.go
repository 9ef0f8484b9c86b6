package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"rollcall/internal/sigv4/sigv4test"
)

// The caller in the measurement has as many policies, with as many statements,
// as IAM allows to attach to a user.
const (
	policiesOfCaller = 10
	statementsOfEach = 5
)

// policies measures a signed GetUser by a user with ten policies, alternating
// with the same call by root, on each engine.
func (b *bench) policies(ctx context.Context) error {
	if err := b.policiesOn(ctx, "SQLite", ""); err != nil {
		return err
	}
	server, err := postgres(ctx)
	if err != nil {
		return err
	}
	err = b.policiesOn(ctx, "PostgreSQL", server.URL)
	return errors.Join(err, server.Stop())
}

func (b *bench) policiesOn(ctx context.Context, engine, url string) error {
	p, end, err := b.serving(ctx, "policies-"+engine, url)
	if err != nil {
		return err
	}
	defer end()
	user, err := callerWithPolicies(p.target)
	if err != nil {
		return err
	}
	const form = "Action=GetUser&Version=2010-05-08&UserName=caller"
	var roots, users, ratios []float64
	for range b.runs {
		root, err := p.target.sameCall(form)
		if err != nil {
			return err
		}
		one, err := user.sameCall(form)
		if err != nil {
			return err
		}
		roots, users, ratios = append(roots, root), append(users, one), append(ratios, root/one)
	}
	ratio := median(ratios)
	b.row("policies", "GetUser by a user with ten policies of five statements, "+engine,
		fmt.Sprintf("%.2f × root's (%.0f/s, root %.0f/s)", ratio, median(users), median(roots)), "1.3 × root's",
		ratio <= 1.3)
	return nil
}

// sameCall returns the rate of one signed call.
func (t target) sameCall(form string) (float64, error) {
	request := t.request("iam", form)
	return t.rate(clients, 3*time.Second, func(c *client, _, _ int) error { return want(c.Do(request, nil)) })
}

var keyInAnswer = regexp.MustCompile(`<AccessKeyId>(\S+)</AccessKeyId>|<SecretAccessKey>(\S+)</SecretAccessKey>`)

// callerWithPolicies creates the user, and returns the server as it sees it.
// Its permission is in the last statement of the last policy.
func callerWithPolicies(root target) (target, error) {
	call := func(form string) (string, error) { return root.call("iam", form+"&Version=2010-05-08") }
	if _, err := call("Action=CreateUser&UserName=caller"); err != nil {
		return target{}, err
	}
	for i := range policiesOfCaller {
		var statements []string
		for j := range statementsOfEach {
			action := fmt.Sprintf("iam:Delete%d%d*", i, j)
			if i == policiesOfCaller-1 && j == statementsOfEach-1 {
				action = "iam:GetUser"
			}
			statements = append(statements,
				fmt.Sprintf(`{"Sid":"S%d","Effect":"Allow","Action":["ec2:Describe*","s3:Get*",%q],`+
					`"Resource":["arn:aws:s3:::bucket-%d/*","arn:aws:iam::*:user/*"],`+
					`"Condition":{"StringNotEquals":{"aws:PrincipalTag/team":"x%d"}}}`, j, action, i, j))
		}
		document := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
		if _, err := call(fmt.Sprintf("Action=CreatePolicy&PolicyName=p%d&PolicyDocument=%s", i,
			url.QueryEscape(document))); err != nil {
			return target{}, err
		}
		if _, err := call(fmt.Sprintf("Action=AttachUserPolicy&UserName=caller&PolicyArn=arn:aws:iam::%s:policy/p%d",
			account, i)); err != nil {
			return target{}, err
		}
	}
	answer, err := call("Action=CreateAccessKey&UserName=caller")
	found := keyInAnswer.FindAllStringSubmatch(answer, 2)
	if err != nil || len(found) != 2 {
		return target{}, fmt.Errorf("no key in %q: %w", answer, err)
	}
	return target{root.addr, sigv4test.Credentials{AccessKeyID: found[0][1], SecretAccessKey: found[1][2]}}, nil
}

// assumeRole measures how many sessions are created.
func (b *bench) assumeRole(ctx context.Context) error {
	p, end, err := b.serving(ctx, "assume-role", "")
	if err != nil {
		return err
	}
	defer end()
	user, err := callerWithPolicies(p.target)
	if err != nil {
		return err
	}
	trust := fmt.Sprintf(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:user/caller"},`+
			`"Action":"sts:AssumeRole"}]}`, account)
	if _, err := p.call("iam", "Action=CreateRole&Version=2010-05-08&RoleName=taken&AssumeRolePolicyDocument="+
		url.QueryEscape(trust)); err != nil {
		return err
	}
	request := user.request("sts", "Action=AssumeRole&Version=2011-06-15&RoleSessionName=bench&RoleArn=arn:aws:iam::"+
		account+":role/taken")
	rate, err := several(b, func() (float64, error) {
		return user.rate(clients, 3*time.Second, func(c *client, _, _ int) error { return want(c.Do(request, nil)) })
	})
	if err != nil {
		return err
	}
	b.row("assume-role", "AssumeRole by a user with ten policies, 8 clients", fmt.Sprintf("%.0f/s", rate), "", true)
	return nil
}
