package ticketstore

import (
	"fmt"

	"hearback/desk"
)

// numberTickets gives the tickets opened here their numbers.
func (f *filer) numberTickets() error {
	var opened []*ticketWork
	for _, w := range f.order {
		if w.fresh {
			opened = append(opened, w)
		}
	}
	numbers, err := f.t.ticketNumbers(f.now, len(opened))
	for i, n := range numbers {
		opened[i].Number = n
	}
	f.nameLinked()
	return err
}

// ticketNumbers draws n numbers of the day, such as GD20260101-0001. One statement reserves them all; the counter's row is held
// until the commit, so that it comes late in a transaction. More than 9999 a day just get longer.
func (t *tx) ticketNumbers(now desk.Time, n int) ([]string, error) {
	if n == 0 {
		return nil, nil
	}
	day := "GD" + now.Std().In(t.s.opt.Location).Format("20060102")
	var last int64
	err := t.get(&last, `INSERT INTO counters (name, n) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = counters.n + excluded.n RETURNING n`, day, n)
	if err != nil {
		return nil, fmt.Errorf("draw ticket numbers: %w", err)
	}
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("%s-%04d", day, last-int64(n)+int64(i)+1)
	}
	return numbers, nil
}
