package diff_test
import ("testing";"time";"context"
"rollcall/internal/audit"
"rollcall/internal/audit/diff")
func BenchmarkZZ(b *testing.B){
 for b.Loop(){
 mk:=func(p string,t string)*diff.Report{ at,_:=time.Parse(time.RFC3339,t); r:=diff.File(audit.Source{Path:p,Generated:at}); return &r}
 n:=0
 out,err:=diff.Compare(context.Background(),diff.Series{Old:mk("/tmp/speed/old.csv","2026-10-23T12:00:00Z"),New:mk("/tmp/speed/new.csv","2026-11-23T12:00:00Z")},diff.Options{},func(*diff.Change)error{n++;return nil})
 if err!=nil{b.Fatal(err)}
 b.Log(n,out.Counts.EventTotal())
 }
}
