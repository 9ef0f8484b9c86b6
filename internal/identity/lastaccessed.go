package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/uuid"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/managedpolicy"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/servicegrant"
	"rollcall/internal/store"
)

const (
	// trackingPeriod is the time for which IAM remembers who called which
	// service.
	trackingPeriod = 400 * 24 * time.Hour
	// accessJobs, accessBytes and accessJobAge limit the reports that are kept
	// for an account.
	accessJobs   = 1000
	accessBytes  = 32 << 20
	accessJobAge = 24 * time.Hour
)

// Observe notes that a caller called an action. Allowed and denied calls both
// count as an attempt to access the service. Calls of root are not noted,
// because no action returns them.
func (s *Service) Observe(c principal.Caller, service, action string) {
	if c.IsRoot() {
		return
	}
	s.db.ServiceUsed(store.ServiceUse{
		Account: c.Account(), Principal: entityID(c), Service: service, Action: action,
		At: s.db.Now(), Region: c.Region(),
	})
}

// entityID returns the unique id of the user or the role behind a caller.
func entityID(c principal.Caller) string {
	if c.Kind() == principal.AssumedRole {
		return c.Session().Role.ID
	}
	return c.User().ID
}

// reader returns the principal that may read a report that a caller asked for:
// a user with any of its keys, or one session of a role (recorded).
func reader(c principal.Caller) string {
	if c.Kind() == principal.AssumedRole {
		return c.AccessKeyID()
	}
	return c.User().ID
}

// trackedUse is the last use of an action.
type trackedUse struct {
	store.ServiceUse
	ARN string
}

// entities collects users and roles without duplicates.
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

// accessEntity is a user or a role with the uses of services by it.
type accessEntity struct {
	Kind                store.Entity
	ARN, Name, Path, ID string
	Uses                []store.ServiceUse
}

// onEntityOrPolicy is onEntity for the action that also accepts policies.
func (s *Service) onEntityOrPolicy(member string) api.Target {
	return api.ByMembers(func(ctx context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		arn := v[0]
		if checkPolicyARN(arn) != nil {
			r, err := s.entityResource(ctx, c, arn)
			return []api.Resource{r}, err
		}
		err := s.db.View(ctx, func(tx *store.Tx) error {
			p, err := findPolicyNamed(tx, c, arn)
			if err == nil {
				arn = p.ARN
			}
			return found(err)
		})
		return []api.Resource{policyKind.on(s).at(ctx, c, arn)}, err
	}, member)
}

// GenerateServiceLastAccessedDetails finds the services that the policies of an
// entity give access to, and when the entity last called them. For a group or a
// policy it finds which of its users and roles called them last. The report is
// not updated later.
func (s *Service) GenerateServiceLastAccessedDetails(
	ctx context.Context, in *iam.GenerateServiceLastAccessedDetailsInput,
) (*iam.GenerateServiceLastAccessedDetailsOutput, error) {
	c := principal.Of(ctx)
	if err := checkAccessARN(c, *in.Arn, true); err != nil {
		return nil, err
	}
	if err := s.db.Flush(ctx); err != nil {
		return nil, err
	}
	report := accessReport{By: reader(c), Actions: in.Granularity == types.AccessAdvisorUsageGranularityTypeActionLevel}
	var entities []accessEntity
	err := s.db.View(ctx, func(tx *store.Tx) error {
		documents, found, err := s.accessOf(tx, c, *in.Arn)
		if err != nil {
			return accessFound(err, *in.Arn)
		}
		tracked, err := addUses(ctx, tx, c.Account(), found, report.Actions)
		entities = found
		report.Services = nil // the transaction may run twice
		report.addServices(servicegrant.Services(documents), entities, tracked)
		return err
	})
	if err != nil {
		return nil, err
	}
	id, err := s.storeAccessReport(ctx, c.Account(), *in.Arn, &report, entities)
	return &iam.GenerateServiceLastAccessedDetailsOutput{JobId: &id}, err
}

// storeAccessReport stores a report and returns the id of its job.
func (s *Service) storeAccessReport(
	ctx context.Context, account, arn string, report *accessReport, entities []accessEntity,
) (string, error) {
	orders, of := orderings(entities)
	report.Orders, report.Entities = of, len(entities)
	result, err := report.pack(orders)
	if err != nil {
		return "", err
	}
	id := uuid.NewString()
	return id, s.db.Update(ctx, func(tx *store.Tx) error {
		job := store.AccessJob{Account: account, ID: id, ARN: arn, Created: tx.Now, Result: result}
		if err := tx.InsertAccessJob(job); err != nil {
			return err
		}
		return tx.TrimAccessJobs(account, accessJobs, accessBytes)
	})
}

// checkAccessARN returns an error for an ARN that has no access report.
// generate says that the ARN of a policy is valid. The texts are recorded, the
// last one for ListPoliciesGrantingServiceAccess.
func checkAccessARN(c principal.Caller, arn string, generate bool) error {
	part := strings.SplitN(arn, ":", 6)
	if len(part) != 6 || part[0] != "arn" {
		return fail("InvalidInput", "Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	kind, name, slash := strings.Cut(part[5], "/")
	ofPolicy := generate && kind == "policy"
	switch {
	case part[2] != "iam":
		return fail("ValidationError", "Invalid service in ARN")
	case part[1] != c.Partition():
		return fail("ValidationError", "Invalid ARN partition")
	case part[4] != c.Account() && (part[4] != "aws" || !ofPolicy):
		return fail("AccessDenied", "User: %s is not authorized to perform the operation on %s", c.ARN(), arn)
	case ofPolicy || name != "" && slices.Contains([]string{"user", "group", "role"}, kind):
		return nil
	case generate || slash:
		return fail("InvalidInput", "Invalid Entity Arn: %s is not supported.", arn)
	}
	return fail("InvalidInput", "Could not extract entity from ARN : %s", arn)
}

// accessFound replaces the error for a missing entity or policy by the sentence
// of these actions (recorded).
func accessFound(err error, arn string) error {
	var known *awsmodel.Error
	if errors.As(err, &known) && known.Code == "NoSuchEntity" {
		return fail("NoSuchEntity", "ARN %s does not exist.", arn)
	}
	return err
}

// usesBatch is the number of entities whose uses one statement reads. With one
// statement for each entity, a call would take too long if thousands have a
// policy.
const usesBatch = 200

// addUses adds the entities' uses of services to each entity. Of the uses of
// actions it returns only the latest.
func addUses(
	ctx context.Context, tx *store.Tx, account string, entities []accessEntity, actions bool,
) (map[[2]string]trackedUse, error) {
	read := tx.ServicesUsed
	if actions {
		read = tx.ServiceUses
	}
	latest := map[[2]string]trackedUse{}
	for batch := range slices.Chunk(entities, usesBatch) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ids := make([]string, len(batch))
		for i := range batch {
			ids[i] = batch[i].ID
		}
		uses, err := read(account, ids...)
		if err != nil {
			return nil, err
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
	return latest, nil
}

// addUses keeps the uses of services, and those uses of actions that are the
// latest of all entities.
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

// accessOf finds the documents that apply to an entity, or the document of a
// policy, and the users and roles with that access.
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
// roles that have the policy directly or through a group.
func (s *Service) accessByPolicy(
	tx *store.Tx, c principal.Caller, arn string,
) ([]*policy.Document, []accessEntity, error) {
	p, err := findPolicyNamed(tx, c, arn)
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

// accessPage is the number of entities that are read at a time.
const accessPage = 1000

// everyPage reads all pages of a list. read returns the key of the last item
// and the number of items.
func everyPage(read func(after string) (last string, n int, err error)) error {
	for after := ""; ; {
		last, n, err := read(after)
		if err != nil || n < accessPage {
			return err
		}
		after = last
	}
}

// addUsing adds an entity that has a policy. It adds the members of a group.
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
