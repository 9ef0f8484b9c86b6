package service_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/service"
)

// The dashboard and the rules name no metric that does not exist, and show
// every one that does.
func TestWatchedMetrics(t *testing.T) {
	set := metrics.NewSet()
	w := newWorld(t, service.Config{Metrics: set})
	must(t, w.root.GetUser, &iam.GetUserInput{})
	w.raw(t, call("GetUser", "UserName=nobody"))
	var text strings.Builder
	set.WritePrometheus(&text)
	name := regexp.MustCompile(`rollcall_[a-z_]+`)
	shown := ""
	for _, file := range []string{"grafana.json", "alerts.yaml"} {
		content, err := os.ReadFile("../../deploy/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".json") && !json.Valid(content) {
			t.Errorf("%s is not JSON", file)
		}
		if file == "grafana.json" && strings.Contains(string(content), " or rollcall_") {
			t.Errorf("%s joins metrics by or, which omits those with the labels of others: use several queries", file)
		}
		shown += string(content)
		for _, metric := range name.FindAllString(string(content), -1) {
			if !strings.Contains(text.String(), "\n"+metric) && !strings.HasPrefix(text.String(), metric) {
				t.Errorf("%s names %s, which does not exist", file, metric)
			}
		}
	}
	for _, metric := range name.FindAllString(text.String(), -1) {
		if !strings.HasSuffix(metric, "_sum") && !strings.Contains(shown, metric) {
			t.Errorf("%s is on no panel and in no rule", metric)
		}
	}
}
