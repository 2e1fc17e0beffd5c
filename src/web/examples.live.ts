/** Subscriptions, which GraphiQL shows state after state until they are stopped. */
export const watchJob = `# A job while it runs: its place in the queue, each
# call to a vendor, each picture, what was charged.
# Run GenerateAndReadReceipt with waitSeconds: 0 and
# count: 4, and put the id of its job into the
# variables below. The round button also stops this.
subscription WatchJob($id: ID!) {
  job(id: $id) {
    status
    position
    images {
      index
      status
      attempts { route outcome }
      asset { url }
      failure { message }
    }
    receipt { held captured released settled }
  }
}
`;

export const watchBalance = `# Leave this running and draw something in a second
# window: the credits are held, then captured.
subscription WatchBalance {
  balance {
    available
    held
    spent
    openJobs
  }
}
`;
