/** Of every hundred orders about thirty suffer something, and so do some of the looks and downloads. */
export const FAULTS = [
  '2.5% status=503; 2% status=500; 0.5% status=504; 1% html; 1.5% status=429 retry-after=1; 0.5% status=429',
  '1% status=400; 0.5% status=401; 0.5% status=404; 0.5% no-funds; 0.5% daily-quota; 0.5% loading=1',
  '1% moderated; 1% withheld; 0.5% black; 0.5% flagged; 0.5% prose; 0.5% blurred',
  '2% reset-before; 2% reset-after; 1% reset-midway; 1% never; 0.5% endless; 1% slow-headers=300; 0.5% slow-body=300',
  '0.5% empty; 0.5% truncated-json; 0.5% wrong-type; 0.5% html-as-picture; 0.5% picture-as-html',
  '1% truncated-picture; 0.5% wrong-size; 0.5% bomb; 0.5% drafts',
  '0.5% poll-failed; 0.5% poll-gone; 0.5% poll-forever; 0.5% poll-unknown-status',
  '0.5% result-elsewhere; 0.5% result-redirected; 0.5% result-private; 0.5% result-gone',
  '0.5% webhook-none; 0.5% webhook-twice; 0.5% webhook-forged; 0.5% webhook-stale; 0.5% webhook-tampered',
  '4% status=500 on=poll; 2% reset-before on=poll; 4% status=503 on=download; 2% truncated-json on=poll',
].join('; ');
