/**
 * A type of zod 4 or zod/mini, of whichever copy: by what they have in common, because each version's own types refuse
 * those of another.
 */
export interface ZodLike {
  readonly _zod: {
    readonly input: unknown;
    readonly output: unknown;
    readonly def: { readonly type: string };
  };
}

/** `z.object({…})` */
interface ZodObjectLike extends ZodLike {
  readonly _zod: ZodLike['_zod'] & { readonly def: { readonly type: 'object'; readonly shape: unknown } };
}

type Fields = Readonly<Record<string, ZodLike>>;
type OptionalIn = { readonly _zod: { readonly optin: 'optional' | 'defaulted' } };
type OptionalOut = { readonly _zod: { readonly optout: 'optional' } };
type Plain<T> = { [Key in keyof T]: T[Key] } & {};

/** How a payload is described: the fields of `z.object({…})`, or such an object itself. */
export type PayloadShape = Fields | ZodObjectLike;

/** What a value of the type may be made of. */
export type InputOf<Type extends ZodLike> = Type['_zod']['input'];
/** What the type makes of it. */
export type OutputOf<Type extends ZodLike> = Type['_zod']['output'];

type PayloadInput<Shape extends PayloadShape> = Shape extends ZodObjectLike
  ? InputOf<Shape>
  : Shape extends Fields
    ? Plain<
        { -readonly [Name in keyof Shape as Shape[Name] extends OptionalIn ? never : Name]: InputOf<Shape[Name]> } & {
          -readonly [Name in keyof Shape as Shape[Name] extends OptionalIn ? Name : never]?: InputOf<Shape[Name]>;
        }
      >
    : never;
export type PayloadOutput<Shape extends PayloadShape> = Shape extends ZodObjectLike
  ? OutputOf<Shape>
  : Shape extends Fields
    ? Plain<
        { -readonly [Name in keyof Shape as Shape[Name] extends OptionalOut ? never : Name]: OutputOf<Shape[Name]> } & {
          -readonly [Name in keyof Shape as Shape[Name] extends OptionalOut ? Name : never]?: OutputOf<Shape[Name]>;
        }
      >
    : never;

type EmptyPayload = Record<string, never>;
/** A payload's fields, to be added to an event's. */
export type FieldsOf<Payload> = Payload extends EmptyPayload ? unknown : Payload;
/** What a class takes that has no payload but this. */
export type OwnInput<Shape extends PayloadShape> = keyof PayloadInput<Shape> extends never
  ? EmptyPayload
  : PayloadInput<Shape>;
/** What a class takes whose base takes something already. */
export type AddedInput<Given, Shape extends PayloadShape> = Given extends EmptyPayload
  ? PayloadInput<Shape>
  : Plain<Given & PayloadInput<Shape>>;
