// Package fleettest provides an organization of AWS accounts for tests. The
// accounts with their roles are on the real service. A front before it answers
// for AWS Organizations, simulates faults and records all calls.
package fleettest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/identity"
	"rollcall/internal/sdkhttp"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// ID is the organization's id. Role is the role that every member has; it may
// do everything. Caller is the user of the management account who may assume
// it.
const (
	ID     = "o-exampleorgid"
	Role   = "OrganizationAccountAccessRole"
	Caller = "auditor"
)

// Account is an account of the organization.
type Account struct {
	ID    string // twelve digits
	Name  string
	Fault Fault
}

// Config describes the organization to create.
type Config struct {
	// Accounts are the members; the first is the management account.
	Accounts  []Account
	Partition string // "" is aws
	// Users is the number of users in each account. If it is not 0, the service
	// keeps its data in a file and not in memory.
	Users int
	// ExternalID is the external id that the roles require, "" for none.
	ExternalID string
	// SessionCalls is the number of calls after which the session of a role ends,
	// although it should last for 15 minutes; 0 means that it lasts so long.
	SessionCalls int
}

// Key is an access key.
type Key struct{ ID, Secret string }

// Call is a call that the front received.
type Call struct {
	Account string // the account that it concerns
	Action  string
	User    string // the user that it names
	Key     string // id of the access key that signed it
	At      time.Time
}

// Organization is a running organization.
type Organization struct {
	URL    string // of IAM, STS and Organizations
	Caller Key    // of the user Caller

	cfg      Config
	handler  http.Handler
	mu       sync.Mutex
	faults   map[string]*Fault
	calls    []Call
	breaches []string
	left     map[string]int // calls of a session, by its access key
	now      int            // requests in progress
	most     int            // the largest number of them
}

// New starts an organization that ends with the test.
func New(t testing.TB, cfg Config) *Organization {
	t.Helper()
	if cfg.Partition == "" {
		cfg.Partition = "aws"
	}
	o := &Organization{cfg: cfg, faults: map[string]*Fault{}, left: map[string]int{}}
	database := store.Config{Memory: true}
	if cfg.Users > 0 {
		database = store.Config{Path: filepath.Join(t.TempDir(), "rollcall.db")}
	}
	off, err := trail.Open("off")
	if err != nil {
		t.Fatal(err)
	}
	s, err := service.Open(context.Background(), service.Config{
		Store: database, Master: seal.InMemoryMasterKeys(), Trail: off,
	})
	if err != nil {
		t.Fatal(err)
	}
	o.handler = s.Handler
	server := httptest.NewServer(http.HandlerFunc(o.front))
	o.URL = server.URL
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	direct := httptest.NewServer(s.Handler)
	defer direct.Close()
	for i, a := range cfg.Accounts {
		if err := o.add(s, direct.URL, a, i == 0); err != nil {
			t.Fatal(err)
		}
	}
	if cfg.Users > 0 {
		if err := seed(database, cfg); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// add creates an account. A member gets the role, and the management account
// gets the caller.
func (o *Organization) add(s *service.Service, url string, a Account, management bool) error {
	ctx := context.Background()
	made, err := s.IAM.CreateAccount(ctx, identity.AccountSpec{ID: a.ID, Partition: o.cfg.Partition})
	if err != nil {
		return err
	}
	fault := a.Fault
	o.faults[a.ID] = &fault
	client := iam.New(iam.Options{
		Region: "us-east-1", BaseEndpoint: &url,
		HTTPClient:  &http.Client{Transport: sdkhttp.Transport(http.DefaultTransport)},
		Credentials: credentials.NewStaticCredentialsProvider(made.RootKey.ID, made.RootKey.Secret.Reveal(), ""),
	})
	if management {
		o.Caller, err = makeCaller(ctx, client)
	} else {
		err = o.makeRole(ctx, client)
	}
	if err != nil {
		return fmt.Errorf("account %s: %w", a.ID, err)
	}
	return nil
}

func makeCaller(ctx context.Context, client *iam.Client) (Key, error) {
	_, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String(Caller)})
	if err != nil {
		return Key{}, err
	}
	_, err = client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
		UserName: aws.String(Caller), PolicyName: aws.String("reports"),
		PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole",` +
				`"iam:GenerateCredentialReport","iam:GetCredentialReport","iam:List*"],"Resource":"*"}]}`),
	})
	if err != nil {
		return Key{}, err
	}
	key, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String(Caller)})
	if err != nil {
		return Key{}, err
	}
	return Key{*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey}, nil
}

func (o *Organization) makeRole(ctx context.Context, client *iam.Client) error {
	condition := ""
	if o.cfg.ExternalID != "" {
		condition = `,"Condition":{"StringEquals":{"sts:ExternalId":"` + o.cfg.ExternalID + `"}}`
	}
	_, err := client.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String(Role),
		AssumeRolePolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:` + o.cfg.Partition +
				`:iam::` + o.cfg.Accounts[0].ID + `:root"},"Action":"sts:AssumeRole"` + condition + `}]}`),
	})
	if err != nil {
		return err
	}
	_, err = client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: aws.String(Role), PolicyName: aws.String("everything"),
		PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`),
	})
	return err
}

// seed creates the users of every account, each with an access key.
func seed(database store.Config, cfg Config) error {
	db, err := store.Open(context.Background(), database)
	if err != nil {
		return err
	}
	for _, a := range cfg.Accounts {
		err := db.Update(context.Background(), func(tx *store.Tx) error {
			for i := range cfg.Users {
				name := fmt.Sprintf("user-%04d", i)
				u := store.User{Account: a.ID, NameKey: name, Name: name, Path: "/",
					ID: fmt.Sprintf("AIDA%s%05d", a.ID, i), Created: tx.Now}
				k := store.AccessKey{Account: a.ID, NameKey: name, ID: fmt.Sprintf("AKIA%s%04d", a.ID, i),
					Status: "Active", Created: tx.Now, Secret: make([]byte, 77)}
				if err := errors.Join(tx.InsertUser(u), tx.InsertAccessKey(k)); err != nil {
					return err
				}
			}
			_, err := tx.CountUser(a.ID, cfg.Users)
			return err
		})
		if err != nil {
			return errors.Join(fmt.Errorf("seed account %s: %w", a.ID, err), db.Close())
		}
	}
	return db.Close()
}

// SetFault sets the fault of an account.
func (o *Organization) SetFault(account string, f Fault) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.faults[account] = &f
}

// Remove removes an account from the organization.
func (o *Organization) Remove(account string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var rest []Account
	for _, a := range o.cfg.Accounts {
		if a.ID != account {
			rest = append(rest, a)
		}
	}
	o.cfg.Accounts = rest
}

// Calls returns the calls so far, in order, and clears the list.
func (o *Organization) Calls() []Call {
	o.mu.Lock()
	defer o.mu.Unlock()
	calls := o.calls
	o.calls = nil
	return calls
}

// MostAtOnce returns the largest number of requests that were in progress at one
// time.
func (o *Organization) MostAtOnce() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.most
}

// Breaches returns forbidden calls: a role assumed with other keys than the
// caller's or for more than reports, and any call about an account that is not
// active.
func (o *Organization) Breaches() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.breaches
}
