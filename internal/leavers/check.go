package leavers

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// change is an action on a user.
type change struct{ action, user string }

// record holds the part of a trail's line that is read.
type record struct {
	EventID           string `json:"eventID"`
	EventName         string `json:"eventName"`
	ErrorCode         string `json:"errorCode"`
	RequestParameters struct {
		UserName string `json:"userName"`
	} `json:"requestParameters"`
	AdditionalEventData struct {
		Outcome   string `json:"outcome"`
		Recovered bool   `json:"recovered"`
	} `json:"additionalEventData"`
}

// Fates holds the results of changes in a trail.
type Fates struct {
	Changes   int // recorded as successful
	Recovered int // of those, only after a crash
	Twice     int // of those, before the crash and after it
	made      map[change]bool
	unknown   map[change]bool
}

// Read reads the results for users whose names begin with a prefix from a
// trail. A repeated record has the same event id.
func Read(trail io.Reader, prefix string) (Fates, error) {
	f := Fates{made: map[change]bool{}, unknown: map[change]bool{}}
	lines := bufio.NewScanner(trail)
	lines.Buffer(nil, 1<<20)
	seen := map[change]string{}
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return f, fmt.Errorf("line %.200s: %w", lines.Text(), err)
		}
		if r.RequestParameters.UserName == "" || !strings.HasPrefix(r.RequestParameters.UserName, prefix) {
			continue
		}
		of := change{r.EventName, r.RequestParameters.UserName}
		switch {
		case r.AdditionalEventData.Outcome == "unknown":
			f.unknown[of] = true
		case r.ErrorCode == "":
			switch {
			case f.made[of] && seen[of] != r.EventID:
				return f, fmt.Errorf("%s of %s is recorded as made twice", of.action, of.user)
			case f.made[of]:
				f.Twice++
			case r.AdditionalEventData.Recovered:
				f.Recovered++
			}
			f.made[of], seen[of] = true, r.EventID
		}
	}
	f.Changes = len(f.made)
	return f, lines.Err()
}

// compare adds a fault if the data of a change differs from its record.
func (f Fates) compare(faults *[]string, action, user string, there bool) {
	of := change{action, user}
	if f.made[of] != there && !f.unknown[of] {
		*faults = append(*faults,
			fmt.Sprintf("%s of %s: in the data %v, in the trail %v", action, user, there, f.made[of]))
	}
}

// Check compares the data of an account with the results in a trail, for users
// whose names begin with a prefix. It returns the number of changes that agree.
func (f Fates) Check(ctx context.Context, c *iam.Client, prefix string) (int, error) {
	var faults []string
	agree := 0
	there := map[string]bool{}
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(c, &iam.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{types.EntityTypeUser}, MaxItems: aws.Int32(1000),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		keys, err := keyed(ctx, c, page.UserDetailList)
		if err != nil {
			return 0, err
		}
		for _, u := range page.UserDetailList {
			name := *u.UserName
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			there[name] = true
			f.compare(&faults, "CreateUser", name, true)
			f.compare(&faults, "AttachUserPolicy", name, len(u.AttachedManagedPolicies) > 0)
			f.compare(&faults, "PutUserPolicy", name, len(u.UserPolicyList) > 0)
			f.compare(&faults, "TagUser", name, len(u.Tags) > 0)
			f.compare(&faults, "CreateAccessKey", name, keys[name])
			f.compare(&faults, "DeleteUser", name, false)
			agree += 6
		}
	}
	for of := range f.made {
		if of.action == "CreateUser" && strings.HasPrefix(of.user, prefix) && !there[of.user] {
			f.compare(&faults, "DeleteUser", of.user, true)
			agree++
		}
	}
	if len(faults) > 0 {
		return 0, fmt.Errorf("%d changes differ from the trail:\n%s", len(faults),
			strings.Join(faults[:min(20, len(faults))], "\n"))
	}
	return agree, nil
}

// keyed returns the users that have an access key.
func keyed(ctx context.Context, c *iam.Client, users []types.UserDetail) (map[string]bool, error) {
	keys := map[string]bool{}
	var mu sync.Mutex
	var all errgroup
	for part := range slices.Chunk(users, max(1, len(users)/4)) {
		all.run(func() error {
			for _, u := range part {
				list, err := c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: u.UserName})
				if err != nil {
					return err
				}
				mu.Lock()
				keys[*u.UserName] = len(list.AccessKeyMetadata) > 0
				mu.Unlock()
			}
			return nil
		})
	}
	return keys, all.wait()
}

// errgroup runs functions at the same time and collects their errors.
type errgroup struct {
	sync.WaitGroup
	mu  sync.Mutex
	err error
}

func (g *errgroup) run(fn func() error) {
	g.Go(func() {
		err := fn()
		g.mu.Lock()
		defer g.mu.Unlock()
		g.err = errors.Join(g.err, err)
	})
}

func (g *errgroup) wait() error {
	g.Wait()
	return g.err
}
