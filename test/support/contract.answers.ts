import { broken, delivered, type For, type Row, row, unknown } from './contract.ts';

/** A fault of the very request that a picture is the answer to. */
function wherePicturesAre(fault: string): For<string> {
  return { answering: fault, queued: `${fault} on=download`, collected: `${fault} on=result` };
}

/** Answers of 200 that are not what they should be. */
export const ANSWER_ROWS: readonly Row[] = [
  row('empty body', 'empty', { all: broken }),
  row('truncated JSON', 'truncated-json', { all: broken }),
  row('a page of HTML', 'wrong-type', { all: broken }),
  row('HTML declared as a picture', wherePicturesAre('html-as-picture'), { all: broken }),
  row('a picture declared as HTML', wherePicturesAre('picture-as-html'), { all: delivered }),
  row('truncated picture', 'truncated-picture', { all: broken }),
  row('picture of another size', 'wrong-size', { all: broken }),
  row('30000x30000 bomb', 'bomb', { all: broken }),
];

/** What the network makes of an order and its answer. */
export const CONNECTION_ROWS: readonly Row[] = [
  row('slow headers, in time', 'slow-headers=150', { all: delivered }),
  row('slow body, in time', 'slow-body=150', { all: delivered }),
  row('slow headers, too slow', 'slow-headers=60000', { all: unknown('yes') }, 'PATIENCE'),
  row('slow body, too slow', 'slow-body=60000', { all: unknown('yes') }, 'PATIENCE'),
  row('a body without an end', 'endless', { all: unknown('yes') }, 'PATIENCE'),
  row('never answered', 'never', { all: unknown('yes') }, 'PATIENCE'),
  // Nothing was bought, but who only sees the connection break cannot know that.
  row('reset before it was bought', 'reset-before', { all: unknown('no') }),
  row('reset after it was bought', 'reset-after', { all: unknown('yes') }),
  row('broken off in the middle', 'reset-midway', { all: unknown('yes') }),
];
