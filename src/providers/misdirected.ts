import type { Order } from './provider.ts';

/** What to throw for an order whose host has nothing of the kind: it was routed wrongly, which is our own defect. */
export function misdirected(order: Order): Error {
  const wanted = order.operation === 'EDIT' ? `the edit ${order.edit.kind}` : order.operation;
  return new Error(`${wanted} was ordered of ${order.vendorModel} at ${order.host}, which cannot do it`);
}
