package identity

import (
	"context"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/servicecatalog"
	"rollcall/internal/servicegrant"
	"rollcall/internal/store"
)

// ListPoliciesGrantingServiceAccess lists, for each of the given services, the
// policies of an entity that allow some action of it. It ignores conditions,
// resources and other policies. The policies of a user include those of its
// groups.
func (s *Service) ListPoliciesGrantingServiceAccess(
	ctx context.Context, in *iam.ListPoliciesGrantingServiceAccessInput,
) (*iam.ListPoliciesGrantingServiceAccessOutput, error) {
	c := principal.Of(ctx)
	if err := checkAccessARN(c, *in.Arn, false); err != nil {
		return nil, err
	}
	asked, err := servicesAsked(in.ServiceNamespaces)
	if err != nil {
		return nil, err
	}
	p, err := s.page(c, "ListPoliciesGrantingServiceAccess",
		*in.Arn+"\x00"+strings.Join(in.ServiceNamespaces, "\x00"), in.Marker, nil)
	if err != nil {
		return nil, err
	}
	p.limit = servicesPage // recorded: all services that a request can name
	var src source
	err = s.db.View(ctx, func(tx *store.Tx) error {
		src, err = s.readSource(tx, c, *in.Arn)
		return accessFound(err, *in.Arn)
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListPoliciesGrantingServiceAccessOutput{
		PoliciesGrantingServiceAccess: []types.ListPoliciesGrantingServiceAccessEntry{}}
	var services []servicecatalog.Service
	services, out.IsTruncated, out.Marker = cutCounted(p, asked)
	before, _ := strconv.Atoi(p.after)
	size := 0
	for i, service := range services {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if i > 0 && size > answerBytes {
			out.IsTruncated, out.Marker = true, p.marker(strconv.Itoa(before+i))
			break
		}
		out.PoliciesGrantingServiceAccess = append(out.PoliciesGrantingServiceAccess,
			types.ListPoliciesGrantingServiceAccessEntry{
				ServiceNamespace: &service.Namespace, Policies: src.granting(service),
			})
		size += answerLength(reflect.ValueOf(&out.PoliciesGrantingServiceAccess[i]))
	}
	return out, nil
}

// servicesAsked returns the services of a list of namespaces without
// duplicates. One error names all unknown namespaces (recorded).
func servicesAsked(namespaces []string) ([]servicecatalog.Service, error) {
	var all []servicecatalog.Service
	var invalid []string
	seen := map[string]bool{}
	for _, namespace := range namespaces {
		service, known := servicecatalog.Find(namespace)
		switch {
		case seen[namespace]:
		case known:
			all = append(all, service)
		default:
			invalid = append(invalid, namespace)
		}
		seen[namespace] = true
	}
	if len(invalid) > 0 {
		return nil, fail("InvalidInput", "Invalid service namespace: [%s]", strings.Join(invalid, ", "))
	}
	return all, nil
}

// granting returns the policies that allow some action of a service, in order
// of their names. A policy that applies to a user twice is listed once.
func (src *source) granting(service servicecatalog.Service) []types.PolicyGrantingServiceAccess {
	granting := []types.PolicyGrantingServiceAccess{}
	seen := map[[3]string]bool{}
	for _, p := range src.identity {
		key := [3]string{p.ARN, p.Name, string(p.of) + "/" + p.entity}
		if seen[key] || !servicegrant.Grants(p.Document, service) {
			continue
		}
		seen[key] = true
		granting = append(granting, p.granting())
	}
	slices.SortStableFunc(granting, func(a, b types.PolicyGrantingServiceAccess) int {
		return strings.Compare(*a.PolicyName, *b.PolicyName)
	})
	return granting
}

func (p *sourcePolicy) granting() types.PolicyGrantingServiceAccess {
	if p.ARN != "" {
		return types.PolicyGrantingServiceAccess{PolicyName: ptr(policyName(p.ARN)),
			PolicyType: types.PolicyTypeManaged, PolicyArn: &p.ARN}
	}
	return types.PolicyGrantingServiceAccess{
		PolicyName: &p.Name, PolicyType: types.PolicyTypeInline,
		EntityType: types.PolicyOwnerEntityType(strings.ToUpper(string(p.of))), EntityName: &p.entity,
	}
}
