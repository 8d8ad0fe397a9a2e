// Package knowledge is what bots look things up in: bases of short texts that are made of documents and found by their words.
//
// Reading documents, folding words and ranking are pure functions. The package asks no language model, fetches nothing and writes no
// SQL: package store keeps the items and finds candidates.
package knowledge
