// Package ahead lets a sequence be produced in a goroutine of its own while its
// consumer works on earlier items, so that two processors share the work.
package ahead

import "sync"

// The items of a batch. The first batch is small because most sequences are
// short; larger ones than the last would only take memory.
const (
	firstBatch = 16
	fullBatch  = 128
)

// batches is the number of batches of a queue: one that each side works on, and
// one between them.
const batches = 3

// Queue hands the items of a producer to one consumer, in their order.
type Queue[T any] struct {
	full, empty chan []T
	stopped     chan struct{}
	stop        func()
	producing   sync.WaitGroup

	batch []T // of the consumer
	at    int // the next item in it
}

// Start runs produce in a goroutine. For every item, produce calls slot and fills
// what it returns. A slot still holds an earlier item, whose memory produce may
// use again. slot returns nil once the consumer has stopped; produce must then
// return.
func Start[T any](produce func(slot func() *T)) *Queue[T] {
	q := &Queue[T]{full: make(chan []T, 1), empty: make(chan []T, batches), stopped: make(chan struct{})}
	q.stop = sync.OnceFunc(func() { close(q.stopped) })
	q.producing.Go(func() {
		defer close(q.full)
		p := producer[T]{queue: q}
		produce(p.slot)
		p.hand()
	})
	return q
}

// Next returns the next item, which is valid until the following call, and nil
// after the last.
func (q *Queue[T]) Next() *T {
	for q.at == len(q.batch) {
		if q.batch != nil {
			q.empty <- q.batch
		}
		q.batch, q.at = <-q.full, 0
		if q.batch == nil {
			return nil
		}
	}
	q.at++
	return &q.batch[q.at-1]
}

// Stop ends the producer and waits for it. It may be called more than once.
func (q *Queue[T]) Stop() {
	q.stop()
	q.producing.Wait()
}

// producer fills one batch after the other.
type producer[T any] struct {
	queue *Queue[T]
	batch []T
	made  int
	over  bool
}

func (p *producer[T]) slot() *T {
	if len(p.batch) == cap(p.batch) {
		p.hand()
		p.next()
	}
	if p.over {
		return nil
	}
	p.batch = p.batch[:len(p.batch)+1]
	return &p.batch[len(p.batch)-1]
}

// hand gives the batch to the consumer.
func (p *producer[T]) hand() {
	if len(p.batch) == 0 || p.over {
		return
	}
	select {
	case p.queue.full <- p.batch:
	case <-p.queue.stopped:
		p.over = true
	}
	p.batch = nil
}

// next takes an empty batch.
func (p *producer[T]) next() {
	if p.over {
		return
	}
	if p.made < batches {
		p.batch = make([]T, 0, min(firstBatch<<(2*p.made), fullBatch))
		p.made++
		return
	}
	select {
	case b := <-p.queue.empty:
		p.batch = b[:0]
	case <-p.queue.stopped:
		p.over = true
	}
}
