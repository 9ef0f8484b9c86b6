package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/awsmodel"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// accessJob reads a report. Who did not ask for it cannot find it.
func (s *Service) accessJob(ctx context.Context, id string) (job store.AccessJob, report accessReport, err error) {
	c := principal.Of(ctx)
	err = s.db.View(ctx, func(tx *store.Tx) error {
		job, err = tx.AccessJob(c.Account(), id)
		if age := tx.Now.Sub(job.Created); err == nil && (age > accessJobAge || age < -store.ClockSkew) {
			err = store.ErrNotFound // it is about to be forgotten
		}
		return err
	})
	if err == nil {
		if err = json.Unmarshal(job.Result, &report); err != nil {
			return job, report, fmt.Errorf("read access report %s: %w", id, err)
		}
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && report.By != entityID(c) {
		err = fail("NoSuchEntity", "Job with id %s cannot be found.", id) // a guess
	}
	return job, report, err
}

// used is the latest use of an action, or of a service as a whole, who it was,
// and how many used it at all.
type used struct {
	by    *accessEntity
	last  store.ServiceUse
	users int
}

// uses are all uses of a report by service and action.
func (r *accessReport) uses() map[[2]string]used {
	all := map[[2]string]used{}
	for _, u := range r.Tracked {
		all[[2]string{u.Service, u.Action}] = used{by: &accessEntity{ARN: u.ARN}, last: u.ServiceUse}
	}
	for i := range r.Entities {
		e := &r.Entities[i]
		for _, use := range e.Uses {
			key := [2]string{use.Service, use.Action}
			u := all[key]
			u.users++
			if u.by == nil || use.At.After(u.last.At) {
				u.by, u.last = e, use
			}
			all[key] = u
		}
	}
	return all
}

// GetServiceLastAccessedDetails reads a report: each service that could be
// accessed, in order of namespace, and its last use.
func (s *Service) GetServiceLastAccessedDetails(ctx context.Context, in *iam.GetServiceLastAccessedDetailsInput) (*iam.GetServiceLastAccessedDetailsOutput, error) {
	p, err := s.page(principal.Of(ctx), "GetServiceLastAccessedDetails", *in.JobId, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	job, report, err := s.accessJob(ctx, *in.JobId)
	if err != nil {
		return nil, err
	}
	out := &iam.GetServiceLastAccessedDetailsOutput{
		JobStatus: types.JobStatusTypeCompleted, JobType: types.AccessAdvisorUsageGranularityTypeServiceLevel,
		JobCreationDate: when(job.Created), JobCompletionDate: when(job.Created),
	}
	if report.Actions {
		out.JobType = types.AccessAdvisorUsageGranularityTypeActionLevel
	}
	var services []string
	services, out.IsTruncated, out.Marker = cutAll(p, report.Services, func(namespace string) string { return namespace })
	out.ServicesLastAccessed = make([]types.ServiceLastAccessed, len(services))
	uses := report.uses()
	for i, namespace := range services {
		out.ServicesLastAccessed[i] = report.service(namespace, uses)
	}
	return out, nil
}

func (r *accessReport) service(namespace string, uses map[[2]string]used) types.ServiceLastAccessed {
	u := uses[[2]string{namespace, ""}]
	out := types.ServiceLastAccessed{
		ServiceNamespace: &namespace, ServiceName: ptr(serviceName(namespace)), TotalAuthenticatedEntities: ptr(int32(u.users)),
	}
	if u.by != nil {
		out.LastAuthenticated, out.LastAuthenticatedEntity, out.LastAuthenticatedRegion = when(u.last.At), &u.by.ARN, &u.last.Region
	}
	if r.Actions {
		out.TrackedActionsLastAccessed = trackedActions(namespace, uses)
	}
	return out
}

// trackedActions are all actions of a service that are tracked, those of its
// model, also where nobody called them; nil for a service that is not served
// here.
func trackedActions(namespace string, uses map[[2]string]used) []types.TrackedActionLastAccessed {
	var out []types.TrackedActionLastAccessed
	for _, op := range awsmodel.Operations(namespace) {
		a := types.TrackedActionLastAccessed{ActionName: &op.Name}
		if u := uses[[2]string{namespace, op.Name}]; u.by != nil {
			a.LastAccessedEntity, a.LastAccessedTime, a.LastAccessedRegion = &u.by.ARN, when(u.last.At), &u.last.Region
		}
		out = append(out, a)
	}
	return out
}

// serviceName is the name of a service. Of those that are not served here only
// the namespace is known.
func serviceName(namespace string) string {
	if name, ok := serviceNames[namespace]; ok {
		return name
	}
	return namespace
}

// GetServiceLastAccessedDetailsWithEntities reads who of a report could use a
// service, the one who did so last first.
func (s *Service) GetServiceLastAccessedDetailsWithEntities(ctx context.Context, in *iam.GetServiceLastAccessedDetailsWithEntitiesInput) (*iam.GetServiceLastAccessedDetailsWithEntitiesOutput, error) {
	namespace := *in.ServiceNamespace
	p, err := s.page(principal.Of(ctx), "GetServiceLastAccessedDetailsWithEntities", *in.JobId+"\x00"+namespace, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	job, report, err := s.accessJob(ctx, *in.JobId)
	if err != nil {
		return nil, err
	}
	type user struct {
		accessEntity
		at time.Time
	}
	var users []user
	for _, e := range report.Entities {
		if !slices.Contains(report.Services, namespace) {
			break // nobody could have used it
		}
		u := user{accessEntity: e}
		for _, use := range e.Uses {
			if use.Service == namespace && use.Action == "" {
				u.at = use.At
			}
		}
		users = append(users, u)
	}
	slices.SortFunc(users, func(a, b user) int {
		if c := b.at.Compare(a.at); c != 0 {
			return c
		}
		return strings.Compare(a.ARN, b.ARN)
	})
	out := &iam.GetServiceLastAccessedDetailsWithEntitiesOutput{
		JobStatus: types.JobStatusTypeCompleted, JobCreationDate: when(job.Created), JobCompletionDate: when(job.Created),
	}
	users, out.IsTruncated, out.Marker = cutCounted(p, users)
	out.EntityDetailsList = make([]types.EntityDetails, len(users))
	for i, u := range users {
		out.EntityDetailsList[i] = types.EntityDetails{
			LastAuthenticated: when(u.at),
			EntityInfo: &types.EntityInfo{
				Arn: &u.ARN, Name: &u.Name, Path: &u.Path, Id: &u.ID, Type: types.PolicyOwnerEntityType(strings.ToUpper(string(u.Kind))),
			},
		}
	}
	return out, nil
}
