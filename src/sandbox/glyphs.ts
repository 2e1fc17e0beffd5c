/**
 * A five by seven dot font, so that a picture can carry words on a machine without any font. Each glyph is seven rows
 * from top to bottom, one base-32 digit a row; its five bits are the dots from left to right.
 */
const ROWS: Readonly<Record<string, string>> = {
  A: 'ehhvhhh',
  B: 'uhhuhhu',
  C: 'ehggghe',
  D: 'uhhhhhu',
  E: 'vgguggv',
  F: 'vgguggg',
  G: 'ehgnhhf',
  H: 'hhhvhhh',
  I: 'e44444e',
  J: '72222ic',
  K: 'hikokih',
  L: 'ggggggv',
  M: 'hrllhhh',
  N: 'hhpljhh',
  O: 'ehhhhhe',
  P: 'uhhuggg',
  Q: 'ehhhlid',
  R: 'uhhukih',
  S: 'fgge11u',
  T: 'v444444',
  U: 'hhhhhhe',
  V: 'hhhhha4',
  W: 'hhhllla',
  X: 'hha4ahh',
  Y: 'hha4444',
  Z: 'v1248gv',
  0: 'ehjlphe',
  1: '4c4444e',
  2: 'eh1248v',
  3: 'v2421he',
  4: '26aiv22',
  5: 'vgu11he',
  6: '68guhhe',
  7: 'v124888',
  8: 'ehhehhe',
  9: 'ehhf12c',
  ' ': '0000000',
  '.': '00000cc',
  ',': '0000c48',
  '-': '000e000',
  '!': '4444404',
  '?': 'eh12404',
  "'": '4480000',
  '"': 'aaa0000',
  ':': '0cc0cc0',
  ';': '0cc0c48',
  '(': '2488842',
  ')': '8422248',
  '/': '01248g0',
  '&': 'cik8lid',
  '+': '044v440',
  '=': '00v0v00',
  '#': 'aavavaa',
  '%': 'op248j3',
  '*': '04lel40',
};

/** Drawn for a character that the font lacks, so that a caption in another script is still seen to be there. */
const UNKNOWN = 'vhhhhhv';

const COLUMNS = 5;
const ADVANCE = COLUMNS + 1;

/** Height of a line, in dots. */
export const LINE_DOTS = 7;

/** Width of `text`, in dots. */
export function widthInDots(text: string): number {
  return Math.max(0, [...text].length * ADVANCE - 1);
}

function rowRuns(bits: number): [from: number, length: number][] {
  const runs: [number, number][] = [];
  for (let column = 0; column < COLUMNS; column += 1) {
    if ((bits & (1 << (COLUMNS - 1 - column))) === 0) continue;
    const last = runs.at(-1);
    if (last && last[0] + last[1] === column) last[1] += 1;
    else runs.push([column, 1]);
  }
  return runs;
}

/** SVG path data of `text`, its top left corner at (x, y), each dot a square of `dot` pixels. */
export function pathOfText(text: string, x: number, y: number, dot: number): string {
  const pieces: string[] = [];
  for (const [index, character] of [...text].entries()) {
    const rows = ROWS[character] ?? UNKNOWN;
    for (const [row, digit] of [...rows].entries()) {
      for (const [column, length] of rowRuns(Number.parseInt(digit, 32))) {
        const left = (x + (index * ADVANCE + column) * dot).toFixed(2);
        const top = (y + row * dot).toFixed(2);
        const width = (length * dot).toFixed(2);
        pieces.push(`M${left} ${top}h${width}v${dot.toFixed(2)}h-${width}z`);
      }
    }
  }
  return pieces.join('');
}

/** Brings words to what the font has: capitals without accents, single spaces. */
export function inGlyphs(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').replace(/\s+/gu, ' ').trim().toUpperCase();
}
