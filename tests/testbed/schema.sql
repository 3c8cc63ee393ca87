create role app login;
create table products (id int primary key, sku text, name text, category int, price float, description text);
create table reviews (id int primary key, product int, stars int, words text);
create table stock (sku text primary key, available int);
create table charges (number text primary key, customer int, amount float, reference text);
create table orders (number text primary key, customer int, total float, tax float, charge text);
create table shipments (number text primary key, country text);
create table tariffs (country text primary key, base float, each float);
insert into products
  select n, 'sku-' || n, 'product ' || n, n % 12, 5 + n % 85,
    repeat((array['oak lamp ', 'wool cover ', 'steel frame ', 'travel bag ', 'garden chair '])[1 + n % 5], 20)
  from generate_series(1, 400) n;
insert into reviews select n, 1 + n % 400, 1 + n * 7 % 5, repeat('quite good ', 3) from generate_series(1, 200000) n;
insert into stock select 'sku-' || n, 1000000 from generate_series(1, 400) n;
insert into tariffs values ('de', 4.9, 0.5), ('fr', 6.9, 0.7), ('it', 7.9, 0.7), ('at', 5.9, 0.5), ('pl', 6.4, 0.6);
grant select, insert, update, delete on all tables in schema public to app;
analyze;
