// Package change turns the campaigns of a history into changes that people can
// follow: each with a name, what it concerns, since when, by how much, the
// versions before and after, and whether it still holds. It is pure: everything is
// derived anew from the history it is given, so a corrected formula corrects all
// of it; only that somebody accepted a change must be stored elsewhere. The
// mathematics is in package stats; nothing is measured, stored or shown here.
package change
