package identity

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/uuid"

	"rollcall/internal/api"
	"rollcall/internal/managedpolicy"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

const (
	// trackingPeriod is how long IAM knows who called which service.
	trackingPeriod = 400 * 24 * time.Hour
	// accessJobs and accessJobAge bound the reports that are kept for an account.
	accessJobs   = 1000
	accessJobAge = 24 * time.Hour
)

// Observe notes that a caller called an action, whether it is allowed or not:
// both count as an attempt to access the service. Root's calls are not noted,
// for nobody can ask for them.
func (s *Service) Observe(c principal.Caller, service, action string) {
	if c.IsRoot() {
		return
	}
	s.db.ServiceUsed(store.ServiceUse{
		Account: c.Account(), Principal: entityID(c), Service: service, Action: action, At: s.db.Now(), Region: c.Region(),
	})
}

// entityID is the unique id of the user or the role behind a caller.
func entityID(c principal.Caller) string {
	if c.Kind() == principal.AssumedRole {
		return c.Session().Role.ID
	}
	return c.User().ID
}

// accessReport is what GenerateServiceLastAccessedDetails found, as it is
// stored.
type accessReport struct {
	By       string // the entity that asked, which alone may read it
	Actions  bool   // asked at the level of actions
	Services []string
	Entities []accessEntity
	// Tracked are the latest uses of actions, whoever it was: of a policy that
	// many have, nobody can ask more.
	Tracked []trackedUse
}

// trackedUse is who used an action last.
type trackedUse struct {
	store.ServiceUse
	ARN string
}

// entities are users and roles, each once.
type entities struct {
	list []accessEntity
	have map[string]bool // by unique id
}

func (e *entities) add(one accessEntity) {
	if e.have == nil {
		e.have = map[string]bool{}
	}
	if !e.have[one.ID] {
		e.have[one.ID] = true
		e.list = append(e.list, one)
	}
}

// accessEntity is a user or role with what it used.
type accessEntity struct {
	Kind                store.Entity
	ARN, Name, Path, ID string
	Uses                []store.ServiceUse
}

// onEntityOrPolicy is onEntity for the action that takes policies as well.
func (s *Service) onEntityOrPolicy(ctx context.Context, c principal.Caller, in any) ([]api.Need, error) {
	arn := api.Text(in, "Arn")
	if checkPolicyARN(arn) != nil {
		r, err := s.entityResource(ctx, c, arn)
		return api.On(r), err
	}
	return s.onPolicy(ctx, c, &iam.GetPolicyInput{PolicyArn: &arn})
}

// GenerateServiceLastAccessedDetails finds which services an entity's policies
// give access to, and when it, or who has the group's or the policy's, called
// them last. What it found is what was so then.
func (s *Service) GenerateServiceLastAccessedDetails(ctx context.Context, in *iam.GenerateServiceLastAccessedDetailsInput) (*iam.GenerateServiceLastAccessedDetailsOutput, error) {
	c := principal.Of(ctx)
	if err := s.db.Flush(ctx); err != nil {
		return nil, err
	}
	report := accessReport{By: entityID(c), Actions: in.Granularity == types.AccessAdvisorUsageGranularityTypeActionLevel}
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		var documents []*policy.Document
		if documents, report.Entities, err = s.accessOf(tx, c, *in.Arn); err != nil {
			return err
		}
		report.Services = grantedServices(documents)
		return report.addUses(ctx, tx, c.Account())
	})
	if err != nil {
		return nil, err
	}
	result, err := json.Marshal(report)
	if err != nil {
		return nil, fmt.Errorf("store access report: %w", err)
	}
	id := uuid.NewString()
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.InsertAccessJob(store.AccessJob{Account: c.Account(), ID: id, ARN: *in.Arn, Created: tx.Now, Result: result}); err != nil {
			return err
		}
		return tx.TrimAccessJobs(c.Account(), accessJobs)
	})
	if err != nil {
		return nil, err
	}
	return &iam.GenerateServiceLastAccessedDetailsOutput{JobId: &id}, nil
}

// usesBatch is of how many entities the uses are read with one statement: one
// for each would take longer than a call may, where thousands have a policy.
const usesBatch = 200

// addUses adds what the entities used: of the services each, of the actions the
// latest use alone.
func (r *accessReport) addUses(ctx context.Context, tx *store.Tx, account string) error {
	read := tx.ServicesUsed
	if r.Actions {
		read = tx.ServiceUses
	}
	latest := map[[2]string]trackedUse{}
	for batch := range slices.Chunk(r.Entities, usesBatch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		ids := make([]string, len(batch))
		for i := range batch {
			ids[i] = batch[i].ID
		}
		uses, err := read(account, ids...)
		if err != nil {
			return err
		}
		byPrincipal := map[string][]store.ServiceUse{}
		for _, u := range uses {
			if tx.Now.Sub(u.At) <= trackingPeriod {
				byPrincipal[u.Principal] = append(byPrincipal[u.Principal], u)
			}
		}
		for i := range batch {
			batch[i].addUses(byPrincipal[batch[i].ID], latest)
		}
	}
	for _, u := range latest {
		r.Tracked = append(r.Tracked, u)
	}
	slices.SortFunc(r.Tracked, func(a, b trackedUse) int {
		return cmp.Or(strings.Compare(a.Service, b.Service), strings.Compare(a.Action, b.Action))
	})
	return nil
}

// addUses keeps the uses of services, and those of actions that are the latest
// of all.
func (e *accessEntity) addUses(uses []store.ServiceUse, latest map[[2]string]trackedUse) {
	for _, u := range uses {
		key := [2]string{u.Service, u.Action}
		switch {
		case u.Action == "":
			e.Uses = append(e.Uses, u)
		case latest[key].ARN == "" || u.At.After(latest[key].At):
			latest[key] = trackedUse{u, e.ARN}
		}
	}
}

// accessOf finds the documents that give an entity access, or of which a
// policy is, and who has it by them.
func (s *Service) accessOf(tx *store.Tx, c principal.Caller, arn string) ([]*policy.Document, []accessEntity, error) {
	if checkPolicyARN(arn) == nil {
		return s.accessByPolicy(tx, c, arn)
	}
	src, err := s.readSource(tx, c, arn)
	if err != nil {
		return nil, nil, err
	}
	var documents []*policy.Document
	for _, p := range src.identity {
		documents = append(documents, p.Document)
	}
	var found entities
	if src.kind == store.GroupEntity {
		err = addMembers(tx, c, src.nameKey, &found)
	} else {
		err = addEntity(tx, c, src.kind, src.nameKey, &found)
	}
	return documents, found.list, err
}

// accessByPolicy finds the document of a managed policy, and the users and
// roles that have it: attached, or by a group.
func (s *Service) accessByPolicy(tx *store.Tx, c principal.Caller, arn string) ([]*policy.Document, []accessEntity, error) {
	p, err := findPolicy(tx, c, arn)
	if err != nil {
		return nil, nil, policyFound(err, arn)
	}
	var text string
	if aws := managedpolicy.Find(p.ARN); aws != nil {
		text = aws.Document
	} else if text, err = tx.DefaultDocument(c.Account(), p.ARN); err != nil {
		return nil, nil, err
	}
	document, err := s.access.Document(policy.Managed, text)
	if err != nil {
		return nil, nil, fmt.Errorf("stored policy %s: %w", arn, err)
	}
	var found entities
	for _, kind := range []store.Entity{store.UserEntity, store.RoleEntity, store.GroupEntity} {
		err := everyPage(func(after string) (string, int, error) {
			page, err := tx.PolicyEntities(kind, store.Use{Attached: true}, c.Account(), p.ARN, after, "/", accessPage)
			for _, e := range page {
				if after = e.NameKey; err == nil {
					err = addUsing(tx, c, kind, e, &found)
				}
			}
			return after, len(page), err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return []*policy.Document{document}, found.list, nil
}

// accessPage is how many entities are read at a time.
const accessPage = 1000

// everyPage reads all pages of a list: read gives the key of the last item and
// the number of items.
func everyPage(read func(after string) (last string, n int, err error)) error {
	for after := ""; ; {
		last, n, err := read(after)
		if err != nil || n < accessPage {
			return err
		}
		after = last
	}
}

// addUsing adds an entity that has a policy: a group by its members.
func addUsing(tx *store.Tx, c principal.Caller, kind store.Entity, e store.PolicyEntity, to *entities) error {
	switch kind {
	case store.GroupEntity:
		return addMembers(tx, c, e.NameKey, to)
	case store.RoleEntity:
		addRole(c, store.Role{Name: e.Name, Path: e.Path, ID: e.ID}, to)
	default:
		addUser(c, store.User{Account: c.Account(), NameKey: e.NameKey, Name: e.Name, Path: e.Path, ID: e.ID}, to)
	}
	return nil
}

func addMembers(tx *store.Tx, c principal.Caller, groupKey string, to *entities) error {
	return everyPage(func(after string) (string, int, error) {
		page, err := tx.GroupMembers(c.Account(), groupKey, after, accessPage)
		for _, u := range page {
			addUser(c, u, to)
			after = u.NameKey
		}
		return after, len(page), err
	})
}

func addUser(c principal.Caller, u store.User, to *entities) {
	to.add(accessEntity{Kind: store.UserEntity, ARN: arn(c, u), Name: u.Name, Path: u.Path, ID: u.ID})
}

func addRole(c principal.Caller, r store.Role, to *entities) {
	arn := principal.RoleARN(c.Partition(), c.Account(), r.Path, r.Name)
	to.add(accessEntity{Kind: store.RoleEntity, ARN: arn, Name: r.Name, Path: r.Path, ID: r.ID})
}

func addEntity(tx *store.Tx, c principal.Caller, kind store.Entity, nameKey string, to *entities) error {
	if kind == store.UserEntity {
		u, err := tx.User(c.Account(), nameKey)
		if err == nil {
			addUser(c, u, to)
		}
		return err
	}
	r, err := tx.Role(c.Account(), nameKey)
	if err == nil {
		addRole(c, r, to)
	}
	return err
}

// grantedServices are the namespaces that documents give access to, sorted:
// those they name, and of those that a wildcard stands for the ones that are
// served here.
func grantedServices(documents []*policy.Document) []string {
	services := map[string]bool{}
	for _, d := range documents {
		for i := range d.Statements {
			if st := &d.Statements[i]; st.Effect == policy.Allow {
				for _, action := range st.Actions {
					if vendor, _, ok := strings.Cut(strings.ToLower(action), ":"); ok && !strings.ContainsAny(vendor, "*?") {
						services[vendor] = true
					}
				}
			}
		}
		for namespace := range serviceNames {
			if d.GrantsService(namespace) {
				services[namespace] = true
			}
		}
	}
	sorted := []string{}
	for namespace := range services {
		sorted = append(sorted, namespace)
	}
	slices.Sort(sorted)
	return sorted
}

// serviceNames are the names of the services that are served here.
var serviceNames = map[string]string{
	"iam": "AWS Identity and Access Management",
	"sts": "AWS Security Token Service",
}
