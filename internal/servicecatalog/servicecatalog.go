// Package servicecatalog holds published facts about AWS's services, as data:
// their titles, their actions, and the ARNs of the resources that each action
// applies to. Policy simulation and service last accessed read it. It allows
// and denies nothing.
//
// The data is from the day on which catalog.tsv.gz was generated (see gen).
// Newer actions are unknown, and newer services have at most a name. The file
// is unpacked on first use.
package servicecatalog

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed catalog.tsv.gz
var packed []byte

// Service is one service. The zero Service is none.
type Service struct {
	// Namespace is the part of an action before the colon: s3.
	Namespace string
	// Title is the service's name in AWS's documentation, "Amazon S3".
	Title string
	// Format is the form of ARN that AWS's policy generator and simulator show
	// for the service: "arn:${Partition}:s3:::${BucketName}/${KeyName}". It is
	// "" if it is unknown.
	Format string

	arns    []string
	actions string // lines
}

// titles maps services to their titles in last-accessed reports if these differ
// from the documentation's. Recorded.
var titles = map[string]string{
	"apigateway":           "Manage - Amazon API Gateway",
	"cloudformation":       "AWS CloudFormation",
	"consoleapp":           "AWS Console Mobile App",
	"elasticloadbalancing": "Elastic Load Balancing",
	"iam":                  "AWS Identity and Access Management",
	"importexport":         "AWS Import Export",
	"ses":                  "Amazon SES",
}

// newer maps services that are newer than catalog.tsv.gz to their titles in
// reports of last access. Their actions are not known. Recorded.
var newer = map[string]string{
	"account-access":           "Account access manager",
	"agent-registry":           "AWS Agent Registry",
	"agentaccess-mcp":          "Amazon WorkSpaces AgentAccess MCP Server",
	"application-signals-mcp":  "Amazon CloudWatch Application Signals MCP Server",
	"aws-external-anthropic":   "Claude Platform on AWS",
	"bedrock-websearch":        "Amazon Bedrock Web Search",
	"eventsbilltoaws":          "AWS reInvent event pass amount charge to customer AWS account",
	"finops-agent":             "AWS FinOps Agent",
	"network-security-manager": "AWS Network Security Manager",
	"researchstudio":           "Amazon Bio Discovery",
	"s3files":                  "Amazon S3 Files",
	"supportauthz":             "AWS Support Authorization",
}

var catalog = sync.OnceValue(func() map[string]Service {
	services := map[string]Service{}
	for block := range strings.SplitSeq(unpack(), "\n\x00") {
		head, actions, _ := strings.Cut(block, "\n")
		part := strings.Split(head, "\t")
		s := Service{Namespace: part[0], Title: part[1], Format: part[2], arns: part[3:], actions: actions}
		if title, ok := titles[s.Namespace]; ok {
			s.Title = title
		}
		services[s.Namespace] = s
	}
	for namespace, title := range newer {
		services[namespace] = Service{Namespace: namespace, Title: title}
	}
	return services
})

// unpack reads the file, which is part of the binary. Lines of actions begin
// with a tab. All others get a zero byte at the front.
func unpack() string {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic("servicecatalog: " + err.Error())
	}
	text, err := io.ReadAll(r)
	if err != nil {
		panic("servicecatalog: " + err.Error())
	}
	var b strings.Builder
	b.Grow(len(text) + 1000)
	for line := range strings.Lines(string(text)) {
		if line[0] != '\t' && b.Len() > 0 {
			b.WriteByte(0)
		}
		b.WriteString(line)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Find returns the service of a namespace, which is in lower case.
func Find(namespace string) (Service, bool) {
	s, ok := catalog()[namespace]
	return s, ok
}

// Namespaces returns the namespaces of all services, sorted.
func Namespaces() []string { return slices.Sorted(maps.Keys(catalog())) }

// Action is one action of a service.
type Action struct {
	Service Service
	// Name is the action's own name, without the namespace: GetObject.
	Name string
	// ARNs holds the patterns of the resources that the action applies to. An
	// action without patterns only applies to "*".
	ARNs []string
}

// FindAction returns the action with a name like s3:GetObject. Case is ignored.
func FindAction(name string) (Action, bool) {
	namespace, name, _ := strings.Cut(name, ":")
	s, ok := Find(strings.ToLower(namespace))
	if !ok || name == "" {
		return Action{}, false
	}
	for line := range strings.SplitSeq(s.actions, "\n") {
		if n := len(name) + 1; len(line) >= n && strings.EqualFold(line[1:n], name) &&
			(len(line) == n || line[n] == '\t') {
			return s.action(line), true
		}
	}
	return Action{}, false
}

// HasActions reports whether the actions of a service are known.
func (s Service) HasActions() bool { return s.actions != "" }

// Actions yields the actions of a service in order of their names.
func (s Service) Actions() func(yield func(Action) bool) {
	return func(yield func(Action) bool) {
		for line := range strings.SplitSeq(strings.TrimSuffix(s.actions, "\n"), "\n") {
			if line != "" && !yield(s.action(line)) {
				return
			}
		}
	}
}

// action reads the line of an action, which begins with a tab.
func (s Service) action(line string) Action {
	name, numbers, _ := strings.Cut(line[1:], "\t")
	a := Action{Service: s, Name: name}
	for n := range strings.FieldsSeq(numbers) {
		i, _ := strconv.Atoi(n)
		a.ARNs = append(a.ARNs, s.arns[i])
	}
	return a
}
