package identity

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/servicecatalog"
	"rollcall/internal/store"
)

// accessJob reads a report within one transaction.
type accessJob struct {
	accessReport
	created time.Time
	lines   int // where the lines begin
	read    func(from, n int) ([]byte, error)
}

// accessJob reads the head of a report. Only the caller that asked for the report can find it.
func (s *Service) accessJob(tx *store.Tx, c principal.Caller, id string) (*accessJob, error) {
	j := &accessJob{}
	j.read = func(from, n int) ([]byte, error) {
		row, err := tx.AccessJob(c.Account(), id, from, n)
		j.created = row.Created
		if age := tx.Now.Sub(row.Created); err == nil && (age > accessJobAge || age < -store.ClockSkew) {
			err = store.ErrNotFound // it is due to be deleted
		}
		return row.Result, err
	}
	var err error
	j.accessReport, j.lines, err = readAccessHead(j.read)
	if errors.Is(err, store.ErrNotFound) || err == nil && j.By != reader(c) {
		err = fail("NoSuchEntity", "Job %s does not exist.", id) // recorded
	}
	return j, err
}

// servicesPage is the default number of services on a page. It is recorded; AWS
// documents 100.
const servicesPage = 200

// GetServiceLastAccessedDetails returns a report: each service that the entity
// could access, in order of namespace, and its last use.
func (s *Service) GetServiceLastAccessedDetails(
	ctx context.Context, in *iam.GetServiceLastAccessedDetailsInput,
) (*iam.GetServiceLastAccessedDetailsOutput, error) {
	c := principal.Of(ctx)
	p, err := s.pageOf(c, "ServiceLastAccessed", "services "+*in.JobId+" ", in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	if in.MaxItems == nil {
		p.limit = servicesPage
	}
	var job *accessJob
	err = s.db.View(ctx, func(tx *store.Tx) error {
		job, err = s.accessJob(tx, c, *in.JobId)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.GetServiceLastAccessedDetailsOutput{
		JobStatus: types.JobStatusTypeCompleted, JobType: types.AccessAdvisorUsageGranularityTypeServiceLevel,
		JobCreationDate: when(job.created), JobCompletionDate: when(job.created),
	}
	if job.Actions {
		out.JobType = types.AccessAdvisorUsageGranularityTypeActionLevel
	}
	var services []accessedService
	services, out.IsTruncated, out.Marker = cutAll(p, job.Services, func(s accessedService) string {
		return s.Namespace
	})
	out.ServicesLastAccessed = make([]types.ServiceLastAccessed, len(services))
	for i := range services {
		out.ServicesLastAccessed[i] = services[i].out()
	}
	return out, nil
}

func (s *accessedService) out() types.ServiceLastAccessed {
	out := types.ServiceLastAccessed{
		ServiceNamespace: &s.Namespace, ServiceName: ptr(serviceTitle(s.Namespace)),
		TotalAuthenticatedEntities: ptr(int32(s.Users)),
	}
	if s.Last != nil {
		out.LastAuthenticated, out.LastAuthenticatedEntity = when(s.Last.At), &s.Last.ARN
		out.LastAuthenticatedRegion = &s.Last.Region
	}
	for _, t := range s.Tracked {
		a := types.TrackedActionLastAccessed{ActionName: &t.Action}
		if t.Last != nil {
			a.LastAccessedEntity, a.LastAccessedTime, a.LastAccessedRegion = &t.Last.ARN,
				when(t.Last.At), &t.Last.Region
		}
		out.TrackedActionsLastAccessed = append(out.TrackedActionsLastAccessed, a)
	}
	return out
}

// serviceTitle returns the name of a service. It returns the namespace of a
// service that AWS's catalogue does not contain.
func serviceTitle(namespace string) string {
	if s, ok := servicecatalog.Find(namespace); ok {
		return s.Title
	}
	return namespace
}

// GetServiceLastAccessedDetailsWithEntities returns the entities of a report
// that could use a service, the latest use first. It returns their present
// names. Entities that were deleted are omitted (recorded).
func (s *Service) GetServiceLastAccessedDetailsWithEntities(
	ctx context.Context, in *iam.GetServiceLastAccessedDetailsWithEntitiesInput,
) (*iam.GetServiceLastAccessedDetailsWithEntitiesOutput, error) {
	c := principal.Of(ctx)
	// A marker is valid for any service of its job (recorded).
	p, err := s.pageOf(c, "ServiceLastAccessed", "entities "+*in.JobId+" ", in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var job *accessJob
	var list []types.EntityDetails
	next := 0
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if job, err = s.accessJob(tx, c, *in.JobId); err != nil {
			return err
		}
		list, next, err = job.entities(tx, c, p, *in.ServiceNamespace)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.GetServiceLastAccessedDetailsWithEntitiesOutput{
		JobStatus: types.JobStatusTypeCompleted, JobCreationDate: when(job.created),
		JobCompletionDate: when(job.created),
		EntityDetailsList: list,
	}
	if next > 0 {
		out.IsTruncated, out.Marker = true, p.marker(strconv.Itoa(next))
	}
	return out, nil
}

// entities reads a page of the entities that could use a service. next is the
// number of entities read so far, 0 if no more follow.
func (j *accessJob) entities(
	tx *store.Tx, c principal.Caller, p page, namespace string,
) (list []types.EntityDetails, next int, err error) {
	list = []types.EntityDetails{}
	known := false
	for i := range j.Services {
		known = known || j.Services[i].Namespace == namespace
	}
	if !known {
		if _, there := servicecatalog.Find(namespace); !there {
			// Recorded with this spelling.
			return nil, 0, fail("InvalidInput", "Service namepace %s is either invalid or unsupported.", namespace)
		}
		return list, 0, nil // no entity could use it
	}
	before, _ := strconv.Atoi(p.after)
	n := max(0, min(p.limit, j.Entities-before))
	if n == 0 {
		return list, 0, nil
	}
	text, err := j.read(j.lines+(j.Orders[namespace]*j.Entities+before)*entityLine, n*entityLine)
	if err != nil {
		return nil, 0, err
	}
	entities, err := readEntities(text)
	if err != nil {
		return nil, 0, err
	}
	if list, err = describeEntities(tx, c, entities); err != nil {
		return nil, 0, err
	}
	if fits := fitting(list); fits < len(list) {
		// Deleted entities do not count: a page ends after an entity that exists.
		list, n = list[:fits], 0
		for ; entities[n].id != *list[fits-1].EntityInfo.Id; n++ {
		}
		n++
	}
	if before+n < j.Entities {
		next = before + n
	}
	return list, next, nil
}

// describeEntities returns the present state of users and roles by their ids.
func describeEntities(tx *store.Tx, c principal.Caller, entities []listedEntity) ([]types.EntityDetails, error) {
	ids := map[store.Entity][]string{}
	for _, e := range entities {
		ids[e.kind] = append(ids[e.kind], e.id)
	}
	found := map[string]*types.EntityInfo{}
	for kind, of := range ids {
		now, err := tx.EntitiesByID(kind, c.Account(), of...)
		if err != nil {
			return nil, err
		}
		for _, e := range now {
			arn := principal.UserARN(c.Partition(), c.Account(), e.Path, e.Name)
			if kind == store.RoleEntity {
				arn = principal.RoleARN(c.Partition(), c.Account(), e.Path, e.Name)
			}
			found[e.ID] = &types.EntityInfo{
				Arn: &arn, Name: &e.Name, Path: &e.Path, Id: &e.ID,
				Type: types.PolicyOwnerEntityType(strings.ToUpper(string(kind))),
			}
		}
	}
	list := []types.EntityDetails{}
	for _, e := range entities {
		if info := found[e.id]; info != nil {
			list = append(list, types.EntityDetails{EntityInfo: info, LastAuthenticated: when(e.at)})
		}
	}
	return list, nil
}
